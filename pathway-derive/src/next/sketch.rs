//! The expansion of `next!` for an editor. It contains each of the user's tokens once and in its place, even if the row
//! is unfinished.
//!
//! rust-analyzer expands a macro with a marker identifier where the cursor is, and completes what it finds there in the
//! expansion. The full expansion is unsuitable: it names a field twice for `..`, and a row that does not parse has no
//! such expansion. This expansion only adds the calls around values that parse.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprPath, Ident, Token};

use super::call::{Runtime, is_inferred};
use super::parse::is_whole_literal;
use crate::option::up_to_comma;

/// Expands the tokens of `next!` that follow `($crate)`, for an editor.
pub fn expand(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter();
    let Some(TokenTree::Group(krate)) = tokens.next() else { return TokenStream::new() };
    let pw = Runtime(krate.stream()).at(Span::mixed_site());
    let tokens: Vec<TokenTree> = tokens.collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let comma = tokens.iter().position(is_comma).unwrap_or(tokens.len());
    let subject: TokenStream = tokens[..comma].iter().cloned().collect();
    let row = tokens.get(comma + 1..).unwrap_or_default().iter().cloned().map(|token| literal(token, &pw));
    let row: TokenStream = row.collect();
    if row.is_empty() { subject } else { quote!(#subject.next(#row)) }
}

/// Returns the braces of a row with their values converted; any other token as it is.
fn literal(token: TokenTree, pw: &TokenStream) -> TokenTree {
    let TokenTree::Group(group) = token else { return token };
    let parsed = Parser::parse2(|input: ParseStream| fields(input, pw), group.stream());
    let mut fields = Group::new(group.delimiter(), parsed.unwrap_or_else(|_| group.stream()));
    fields.set_span(group.span());
    fields.into()
}

fn fields(input: ParseStream, pw: &TokenStream) -> syn::Result<TokenStream> {
    let mut fields = TokenStream::new();
    while !input.is_empty() {
        if input.peek(Token![..]) {
            let dots: Token![..] = input.parse()?;
            let base: TokenStream = input.parse()?;
            fields.extend(if base.is_empty() { quote!(#dots #pw::sketched()) } else { quote!(#dots #base) });
        } else if input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
            let (name, colon): (Ident, Token![:]) = (input.parse()?, input.parse()?);
            let value = value(input, pw)?;
            fields.extend(quote!(#name #colon #value));
        } else {
            up_to_comma(input).to_tokens(&mut fields);
        }
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?.to_tokens(&mut fields);
        }
    }
    Ok(fields)
}

fn value(input: ParseStream, pw: &TokenStream) -> syn::Result<TokenStream> {
    if is_whole_literal(input) {
        let path: ExprPath = input.parse()?;
        let braces = literal(input.parse()?, pw);
        return Ok(quote!(#path #braces));
    }
    let ahead = input.fork();
    let is_whole = ahead.parse::<Expr>().is_ok() && (ahead.is_empty() || ahead.peek(Token![,]));
    if is_whole {
        let value: Expr = input.parse()?;
        return Ok(if is_inferred(&value) { quote!(#value) } else { quote!(#pw::convert(#value)) });
    }
    let value = up_to_comma(input);
    Ok(quote!(#pw::convert(#value)))
}
