//! Lifetimes in the tokens of a type.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;

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

/// Returns the places of the lifetimes that are left out: each `'_`, and each `&` without a lifetime. Those in the
/// arguments of a function type, as in `Fn(&str)`, stand for every lifetime.
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
