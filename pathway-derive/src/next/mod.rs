//! `next!`: a struct literal whose values convert, pushed into a subject.
//!
//! The expansion keeps the user's path and field names, so rustc reports missing, unknown and repeated fields itself.

mod call;
mod parse;
pub mod sketch;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};

use self::call::{Call, Runtime};
use self::parse::parse;
use crate::ctxt::Ctxt;

/// Expands the tokens of `next!` that follow `($crate)`.
pub fn expand(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter();
    let Some(TokenTree::Group(krate)) = tokens.next() else { return TokenStream::new() };
    let runtime = Runtime(krate.stream());
    let ctxt = Ctxt::new();
    let call = |input: ParseStream| {
        let call = parse(&ctxt, input);
        // The error in the remaining tokens has been reported.
        if call.is_none() {
            input.parse::<TokenStream>()?;
        }
        Ok(call)
    };
    let call = call.parse2(tokens.collect()).unwrap_or_else(|error| {
        // After an error inside a group, syn also reports the rest of the group.
        if !ctxt.has_errors() {
            ctxt.syn_error(error);
        }
        None
    });
    let errors = ctxt.check();
    match call {
        Some(Call { subject, row: Some(row) }) if errors.is_empty() => row.push(&subject, &runtime),
        call => {
            let pw = runtime.at(Span::mixed_site());
            let subject = call.map_or_else(|| quote!(()), |call| call.subject.to_token_stream());
            quote!({ #errors #pw::refused(&(#subject)) })
        }
    }
}
