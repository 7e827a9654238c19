//! `next!`: a struct literal whose values convert, pushed into a subject.
//!
//! The expansion keeps the user's path and field names, so rustc reports missing, unknown and repeated fields itself.

mod call;
mod parse;
pub mod sketch;

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};

use self::call::{Call, Runtime};
use self::parse::parse;
use crate::ctxt::Ctxt;

/// Expands the tokens of `next!` that follow `($crate)`.
pub fn expand(tokens: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let mut krate = TokenStream::new();
    let parsed = Parser::parse2(
        |input: ParseStream| {
            let group: Group = input.parse()?;
            krate = group.stream();
            let call = parse(&ctxt, input);
            if call.is_none() {
                input.parse::<TokenStream>()?;
            }
            Ok(call)
        },
        tokens,
    );
    let call = parsed.unwrap_or_else(|error| {
        ctxt.syn_error(error);
        None
    });
    let runtime = Runtime(krate);
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
