//! Generic parameters of a type that must not have any: the fallback impl after this error still needs them.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, TypeParamBound, WherePredicate};

use crate::types;

/// Returns the parameters with a bound on each type. Lifetimes are omitted, since [`arguments`] replaces them
/// with `'static`, as do the bounds.
pub fn with_bounds(generics: &Generics, bound: &TypeParamBound) -> Generics {
    let mut bounded = generics.clone();
    if generics.lifetimes().next().is_some() {
        let parameters = generics.params.iter().filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
        bounded.params = parameters
            .filter_map(|parameter| syn::parse2::<GenericParam>(with_static(parameter.to_token_stream())).ok())
            .collect();
        let where_clause = generics.where_clause.as_ref();
        bounded.where_clause = where_clause.and_then(|clause| syn::parse2(with_static(clause.to_token_stream())).ok());
    }
    for parameter in &mut bounded.params {
        match parameter {
            GenericParam::Type(parameter) => {
                parameter.bounds.push(bound.clone());
                parameter.default = None;
            }
            GenericParam::Const(parameter) => parameter.default = None,
            GenericParam::Lifetime(_) => {}
        }
    }
    bounded
}

/// Returns how many bounds a type parameter has, with those of the `where` clause, also for types that contain the parameter.
pub fn count_bounds(generics: &Generics, name: &Ident) -> usize {
    let parameter = generics.type_params().find(|parameter| parameter.ident == *name);
    let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let is_about = |predicate: &&WherePredicate| match predicate {
        WherePredicate::Type(predicate) => types::mentions(&predicate.bounded_ty, name),
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

/// Returns the tokens with `'static` for each lifetime, and after each `&` without one.
pub fn with_static(tokens: TokenStream) -> TokenStream {
    let mut output = TokenStream::new();
    let mut after_quote = false;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_name = std::mem::replace(&mut after_quote, is_quote(&token));
        let lacks_lifetime = is_reference(&token) && !tokens.peek().is_some_and(is_quote);
        output.extend([match token {
            TokenTree::Ident(name) if is_name => Ident::new("static", name.span()).into(),
            TokenTree::Group(group) => {
                let mut with_static = Group::new(group.delimiter(), with_static(group.stream()));
                with_static.set_span(group.span());
                with_static.into()
            }
            other => other,
        }]);
        output.extend(lacks_lifetime.then(|| quote!('static)));
    }
    output
}

/// Returns the places of the lifetimes that are left out: each `'_`, and each `&` without a lifetime. Those in the arguments of
/// a function type, as in `Fn(&str)`, stand for every lifetime.
pub fn elided_lifetimes(tokens: TokenStream) -> Vec<Span> {
    let mut elided_at = Vec::new();
    let mut before = None;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Ident(name) if name == "_" && before.as_ref().is_some_and(is_quote) => {
                elided_at.push(name.span())
            }
            TokenTree::Group(group) => {
                let is_function = matches!(before, Some(TokenTree::Ident(_)));
                if !is_function || group.delimiter() != Delimiter::Parenthesis {
                    elided_at.extend(elided_lifetimes(group.stream()));
                }
            }
            reference if is_reference(reference) && !tokens.peek().is_some_and(is_quote) => {
                elided_at.push(reference.span());
            }
            _ => {}
        }
        before = Some(token);
    }
    elided_at
}

/// Returns whether the token is the quote of a lifetime, which a name follows.
fn is_quote(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '\'')
}

fn is_reference(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '&')
}
