//! Generic parameters of a type that must not have any: the fallback impl after this error still needs them.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Lifetime, TypeParamBound, WherePredicate};

use crate::types;

/// Returns the parameters with a bound on each type. Lifetimes are omitted, since [`arguments`] replaces them
/// with `'static`, as do the bounds.
pub fn owned(generics: &Generics, bound: &TypeParamBound) -> Generics {
    let mut owned = generics.clone();
    if generics.lifetimes().next().is_some() {
        let parameters = generics.params.iter().filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
        owned.params = parameters
            .filter_map(|parameter| syn::parse2::<GenericParam>(with_static(parameter.to_token_stream())).ok())
            .collect();
        let where_clause = generics.where_clause.as_ref();
        owned.where_clause = where_clause.and_then(|clause| syn::parse2(with_static(clause.to_token_stream())).ok());
    }
    for parameter in &mut owned.params {
        match parameter {
            GenericParam::Type(parameter) => {
                parameter.bounds.push(bound.clone());
                parameter.default = None;
            }
            GenericParam::Const(parameter) => parameter.default = None,
            GenericParam::Lifetime(_) => {}
        }
    }
    owned
}

/// Returns how many bounds a type parameter has, with those of the `where` clause, also for types that contain the parameter.
pub fn bounds(generics: &Generics, name: &Ident) -> usize {
    let parameter = generics.type_params().find(|parameter| parameter.ident == *name);
    let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let is_about = |predicate: &&WherePredicate| match predicate {
        WherePredicate::Type(predicate) => types::names(&predicate.bounded_ty, name),
        _ => false,
    };
    parameter.map_or(0, |parameter| parameter.bounds.len()) + clause.filter(is_about).count()
}

/// Returns the arguments for a type with these parameters; each lifetime is `'static`.
pub fn arguments(generics: &Generics) -> Option<TokenStream> {
    let arguments = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(_) => quote!('static),
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
    });
    (!generics.params.is_empty()).then(|| quote!(<#(#arguments),*>))
}

/// Returns the tokens with `'static` for each lifetime.
pub fn with_static(tokens: TokenStream) -> TokenStream {
    let mut after_quote = false;
    tokens
        .into_iter()
        .map(|token| {
            let is_name = std::mem::replace(&mut after_quote, is_quote(&token));
            match token {
                TokenTree::Ident(name) if is_name => Ident::new("static", name.span()).into(),
                TokenTree::Group(group) => {
                    let mut with_static = Group::new(group.delimiter(), with_static(group.stream()));
                    with_static.set_span(group.span());
                    with_static.into()
                }
                other => other,
            }
        })
        .collect()
}

/// Returns the lifetimes that are written `'_`.
pub fn elided(tokens: TokenStream) -> Vec<Lifetime> {
    let mut after_quote = false;
    let found = tokens.into_iter().flat_map(|token| {
        let is_name = std::mem::replace(&mut after_quote, is_quote(&token));
        match token {
            TokenTree::Ident(name) if is_name && name == "_" => vec![Lifetime::new("'_", name.span())],
            TokenTree::Group(group) => elided(group.stream()),
            _ => Vec::new(),
        }
    });
    found.collect()
}

/// Returns whether the token is the quote of a lifetime, which a name follows.
fn is_quote(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '\'')
}
