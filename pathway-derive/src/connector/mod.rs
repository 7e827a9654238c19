//! `#[connector]`.

mod ast;
pub mod attr;
mod block;
mod check;
mod expand;
mod fallback;
mod handle;
mod parse;
mod place;
mod unfit;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Item, ItemImpl};

use crate::ctxt::Ctxt;

/// Returns the user's impl block and its `Connector` impl. After a mistake, the errors are added.
pub fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    match parse::item(item.clone()) {
        Ok(Item::Impl(block)) if block.trait_.is_none() => on_block(options, &block),
        Ok(Item::Impl(block)) if place::is_connector_by_macro(&block) => {
            let ctxt = Ctxt::new();
            place::on_trait_impl(&ctxt, &block);
            let (errors, block) = (ctxt.check(), on_block(options, &ItemImpl { trait_: None, ..block }));
            quote!(#errors #block)
        }
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

fn on_block(tokens: TokenStream, block: &ItemImpl) -> TokenStream {
    let ctxt = Ctxt::new();
    let options = attr::Options::parse(&ctxt, tokens.clone());
    let connector = ast::Connector::from_block(&ctxt, block, options);
    check::options(&ctxt, &connector);
    check::attributes(&ctxt, &block.attrs);
    let owns = check::lifetimes(&ctxt, &connector);
    let mut output = ctxt.check();
    let mut stops_well = true;
    for method in &connector.on_stops {
        let (errors, is_sound) = check_method(ast::cfgs(method), |ctxt| check::on_stop(ctxt, &connector, method));
        output.extend(errors);
        stops_well &= is_sound;
    }
    for run in &connector.runs {
        let (errors, is_sound) = check_method(ast::cfgs(run.method), |ctxt| check::run(ctxt, run, &block.generics));
        output.extend(errors);
        output.extend(if is_sound && owns {
            expand::expand(&connector, run, stops_well)
        } else {
            fallback::of_block(&connector, Some(run))
        });
        if ast::cfgs(run.method).next().is_none() {
            // rustc reports a second method with the same name.
            break;
        }
    }
    if connector.runs.is_empty() {
        output.extend(fallback::of_block(&connector, None));
    }
    let block = block::block(&connector);
    let completion = block::completion(&connector, tokens);
    quote!(#completion #block #output)
}

/// Returns the errors of a method, under the method's own `cfg` attributes.
fn check_method<'a>(
    cfgs: impl Iterator<Item = &'a Attribute>,
    check: impl FnOnce(&Ctxt) -> bool,
) -> (TokenStream, bool) {
    let ctxt = Ctxt::new();
    let is_sound = check(&ctxt);
    let errors = ctxt.check();
    let cfgs: Vec<_> = cfgs.collect();
    if errors.is_empty() || cfgs.is_empty() {
        return (errors, is_sound);
    }
    (quote!(#(#cfgs)* const _: () = { #errors };), is_sound)
}
