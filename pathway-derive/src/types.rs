//! Recognises a user's type by its spelling.
//!
//! A macro does not know what an alias means, so only conveniences and better messages may depend on these functions.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, GenericArgument, Ident, PathArguments, PathSegment, Type};

use crate::lifetimes;

/// Returns the type without the invisible groups that `macro_rules!` puts around `$t:ty`, and without parentheses.
pub fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        other => other,
    }
}

/// Returns the last segment of a plain path.
pub fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match peel(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// Returns the types in the angle brackets of a segment.
pub fn type_arguments(segment: &PathSegment) -> Vec<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Returns the `T` of a type written `Option<T>`.
pub fn option_of(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty)?;
    match type_arguments(segment).as_slice() {
        [item] if segment.ident == "Option" => Some(item),
        _ => None,
    }
}

/// Returns whether the type is written as one without a size.
pub fn is_unsized(ty: &Type) -> bool {
    let ty = peel(ty);
    matches!(ty, Type::Slice(_)) || matches!(ty, Type::Path(path) if path.path.is_ident("str"))
}

/// Returns whether the type is written as the struct whose field has it.
pub fn is_itself(ty: &Type, row: &Ident) -> bool {
    match peel(ty) {
        Type::Path(path) if path.qself.is_none() && path.path.leading_colon.is_none() => {
            let segments = &path.path.segments;
            segments.len() == 1 && (segments[0].ident == "Self" || segments[0].ident == *row)
        }
        _ => false,
    }
}

/// Returns whether the type is written `String`.
pub fn is_string(ty: &Type) -> bool {
    is_written(ty, &["String"])
}

/// Returns whether the type is written as one that a literal text converts to, besides `String`.
pub fn is_other_text(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| {
        let holds_str = || type_arguments(segment).iter().any(|item| is_written(item, &["str"]));
        match segment.ident.to_string().as_str() {
            "Box" | "Arc" | "Cow" => holds_str(),
            name => name == "PathBuf" && segment.arguments.is_empty(),
        }
    })
}

/// Returns whether the type is written as a column type of the language or its prelude. If another type has that name,
/// rustc refuses it, but points to the derive.
pub fn is_known_column(ty: &Type) -> bool {
    let holds_known = |segment: &PathSegment| match &segment.arguments {
        // There must be one argument, because a `Vec<u8, 64>` is another type.
        PathArguments::AngleBracketed(arguments) if arguments.args.len() == 1 => {
            type_arguments(segment).into_iter().any(|item| match segment.ident.to_string().as_str() {
                "Vec" => is_known_column(item),
                "Option" => option_of(item).is_none() && is_known_column(item),
                _ => false,
            })
        }
        _ => false,
    };
    match peel(ty) {
        Type::Tuple(tuple) => matches!(tuple.elems.len(), 1..=LONGEST_TUPLE) && tuple.elems.iter().all(is_known_column),
        _ => is_primitive(ty) || is_string(ty) || last_segment(ty).is_some_and(holds_known),
    }
}

/// The maximum number of elements of a tuple that is a column type.
const LONGEST_TUPLE: usize = 12;

/// Returns whether the type is a primitive type that a column can have.
pub fn is_primitive(ty: &Type) -> bool {
    is_primitive_key(ty) || is_float(ty)
}

pub fn is_integer(ty: &Type) -> bool {
    const NAMES: [&str; 12] = ["i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize"];
    is_written(ty, &NAMES)
}

pub fn is_float(ty: &Type) -> bool {
    is_written(ty, &["f32", "f64"])
}

/// Returns whether a type is a primitive that can be part of a primary key.
pub fn is_primitive_key(ty: &Type) -> bool {
    is_integer(ty) || is_written(ty, &["bool", "char"])
}

pub fn is_written(ty: &Type, names: &[&str]) -> bool {
    last_segment(ty)
        .is_some_and(|segment| segment.arguments.is_empty() && names.iter().any(|name| segment.ident == name))
}

/// Returns whether the type can be named outside a function's signature: it has no elided lifetime and no `impl
/// Trait`.
pub fn is_nameable(ty: &Type) -> bool {
    !has_ident(ty, "impl") && lifetimes::elided_lifetimes(ty.to_token_stream()).is_empty()
}

/// Returns whether the type has a `_`, a `'_` or an `impl Trait` where rustc refuses it in a field and in a signature.
/// A `_` in a constant or in the tokens of a macro does not count.
pub fn has_placeholder(ty: &Type) -> bool {
    match peel(ty) {
        Type::Infer(_) | Type::ImplTrait(_) => true,
        Type::Array(array) => matches!(array.len, Expr::Infer(_)) || has_placeholder(&array.elem),
        Type::Slice(slice) => has_placeholder(&slice.elem),
        Type::Reference(reference) => has_placeholder(&reference.elem),
        Type::Tuple(tuple) => tuple.elems.iter().any(has_placeholder),
        Type::Path(path) => path.path.segments.iter().any(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().any(|argument| match argument {
                GenericArgument::Type(ty) => has_placeholder(ty),
                GenericArgument::Lifetime(lifetime) => lifetime.ident == "_",
                _ => false,
            }),
            _ => false,
        }),
        _ => false,
    }
}

/// Returns whether the word is anywhere in the type.
pub fn has_ident(ty: &Type, word: &str) -> bool {
    idents(ty.to_token_stream()).iter().any(|(name, _)| name == word)
}

/// Returns whether the type contains the parameter.
pub fn mentions(ty: &Type, parameter: &Ident) -> bool {
    idents(ty.to_token_stream()).iter().any(|(name, is_behind)| name == parameter && !is_behind)
}

/// Returns the identifiers, and for each whether it follows a `:`, as the last segment of a path does.
fn idents(tokens: TokenStream) -> Vec<(Ident, bool)> {
    let mut is_behind = false;
    let idents = tokens.into_iter().flat_map(|token| {
        let was_behind =
            std::mem::replace(&mut is_behind, matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':'));
        match token {
            TokenTree::Group(group) => idents(group.stream()),
            TokenTree::Ident(name) => vec![(name, was_behind)],
            TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
        }
    });
    idents.collect()
}

/// Returns a type, or other short tokens, in the usual spelling.
pub fn text(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.to_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut after_word = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
                after_word = false;
            }
            TokenTree::Punct(punct) => {
                match punct.as_char() {
                    c @ (',' | ';') => text.extend([c, ' ']),
                    c @ ('=' | '+') => text.extend([' ', c, ' ']),
                    c => text.push(c),
                }
                after_word = false;
            }
            word => {
                if after_word {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
                after_word = true;
            }
        }
    }
    // `->` is two tokens, and a list may end in a comma.
    *text = text.replace("- >", "-> ").trim_end().trim_end_matches(',').to_owned();
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn options_and_strings_are_seen_through_paths() {
        let ty: Type = parse_quote!(::std::option::Option<std::string::String>);
        assert!(option_of(&ty).is_some_and(is_string));
        let ty: Type = parse_quote!((String));
        assert!(is_string(&ty) && option_of(&ty).is_none());
        let ty: Type = parse_quote!(<Cat as Row>::Option<String>);
        assert!(option_of(&ty).is_none());
    }

    #[test]
    fn well_known_types_are_known_by_their_names_and_arguments() {
        let known = |ty: &str| syn::parse_str(ty).is_ok_and(|ty: Type| is_known_column(&ty));
        for ty in ["i64", "std::string::String", "Option<Vec<f32>>", "Vec<Option<u8>>", "(bool)", "Vec<(String, u8)>"] {
            assert!(known(ty), "{ty}");
        }
        for ty in [
            "f16",
            "String<64>",
            "Vec<u8, 64>",
            "Vec<Uuid>",
            "Option<Option<i64>>",
            "Value",
            "Vec",
            "[u8; 4]",
            "()",
            "(u8, Uuid)",
        ] {
            assert!(!known(ty), "{ty}");
        }
    }

    #[test]
    fn types_are_spelt_as_usual() {
        for ty in [
            "Subject<Cat, u64>",
            "[u8; 4]",
            "(i64, String)",
            "&'static str",
            "std::sync::Arc<dyn Fn(i64)>",
            "<T as Row>::Key",
            "Vec<Vec<u8>>",
            "dyn Error + Send",
        ] {
            let parsed: Type = syn::parse_str(ty).unwrap();
            assert_eq!(text(&parsed), ty);
        }
    }

    #[test]
    fn a_placeholder_is_one_where_rustc_refuses_it() {
        let has = |ty: &str| has_placeholder(&syn::parse_str(ty).unwrap());
        for ty in [
            "_",
            "Vec<_>",
            "[u8; _]",
            "[_; 2]",
            "(u8, Option<(_,)>)",
            "&'static [_]",
            "Cow<'_, str>",
            "Box<impl Clone>",
        ] {
            assert!(has(ty), "{ty}");
        }
        for ty in ["u8", "[u8; { match N { _ => 1 } }]", "Rows<{ match N { _ => 1 } }>", "row!(_)", "fn(&'_ str)"] {
            assert!(!has(ty), "{ty}");
        }
    }

    #[test]
    fn elided_lifetimes_cannot_be_named() {
        let nameable = |ty: Type| is_nameable(&ty);
        assert!(nameable(parse_quote!(Result<(), &'static str>)));
        assert!(!nameable(parse_quote!(Result<(), &str>)));
        assert!(!nameable(parse_quote!(Result<(), Cow<'_, str>>)));
        assert!(!nameable(parse_quote!(Result<(), impl Error>)));
        assert!(!nameable(parse_quote!(Result<(), (u8, &str)>)));
        assert!(nameable(parse_quote!(Result<(), Box<dyn Fn(&str, Cow<'_, str>)>>)));
    }
}
