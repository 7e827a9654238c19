//! `#[connector]`.

mod ast;
mod attr;
mod check;
mod expand;
mod fallback;
mod place;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Item;

use crate::ctxt::Ctxt;

/// The user's impl block and the `Connector` impl beside it; after a mistake also its errors.
pub fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Impl(block)) if block.trait_.is_none() => on_block(options, &block),
        Ok(other) => {
            let ctxt = Ctxt::new();
            let options = attr::Options::parse(&ctxt, options);
            place::misplaced(&ctxt, &other);
            let errors = ctxt.check();
            let stub = fallback::of_item(&other, &options);
            quote!(#errors #item #stub)
        }
        Err(error) => {
            let error = error.to_compile_error();
            quote!(#error #item)
        }
    }
}

fn on_block(options: TokenStream, block: &syn::ItemImpl) -> TokenStream {
    let ctxt = Ctxt::new();
    let options = attr::Options::parse(&ctxt, options);
    let connector = ast::Connector::from_block(&ctxt, block, options);
    let is_sound = check::check(&ctxt, &connector);
    let errors = ctxt.check();
    let impls = if is_sound { expand::expand(&connector) } else { fallback::of_connector(&connector) };
    let block = expand::block(block).into_token_stream();
    quote!(#errors #block #impls)
}
