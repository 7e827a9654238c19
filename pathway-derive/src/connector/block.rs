//! The user's own block, as it is emitted.
//!
//! `run` begins with an import of the runtime and a `let` that binds each subject again, at the same type. If the row
//! of a subject is not a schema, rustc reports the type of this `let` at the row's name, with the same text as the error
//! in the `Connector` impl. It then reports nothing about the uses of the subject in `run`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Pat, PatIdent, PatType, Token, parse_quote};

use super::ast::{Connector, Run, is_named};
use super::check;
use super::handle::{if_subject, row_span};
use super::parse::{is_unfinished, statements};
use super::unfit::{self, Unfit};
use crate::{editor, option, types};

/// Returns the block. The trait fixes the form of `run` and `on_stop`, so clippy's lints about it are off.
pub fn block(connector: &Connector) -> ItemImpl {
    let mut block = connector.block.clone();
    block.items.retain(|item| !is_unfinished(item));
    block.attrs.retain(|attribute| !check::is_of_another_runtime(attribute));
    let mut runs = connector.runs.iter();
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        if is_named(method, "run") {
            let Some(run) = runs.next() else { continue };
            if unfit::is_fit(run, &connector.block.generics) && connector.borrowed_at().is_empty() {
                insert_checks(method, run, connector);
            } else {
                // The body does not compile with these subjects, which are reported already. `loop` prevents a second
                // error, and uses no parameter.
                method.block.stmts = vec![statements(quote!(loop {}))];
                replace_unfit_types(method, run, connector);
                method.attrs.push(parse_quote!(#[allow(unused_mut, unused_variables)]));
            }
            // The trait fixes the signature, so the user cannot follow these lints.
            method.attrs.push(parse_quote! {
                #[allow(
                    clippy::missing_const_for_fn,
                    clippy::needless_pass_by_ref_mut,
                    clippy::needless_pass_by_value,
                    clippy::same_name_method,
                    clippy::unnecessary_wraps,
                    clippy::unused_self
                )]
            });
        } else if is_named(method, "on_stop") {
            // As for `run`.
            method.attrs.push(parse_quote! {
                #[allow(
                    clippy::missing_const_for_fn,
                    clippy::needless_pass_by_ref_mut,
                    clippy::same_name_method,
                    clippy::unused_self
                )]
            });
        } else {
            continue;
        }
        method.attrs.retain(|attribute| !check::is_of_another_runtime(attribute));
        if method.sig.asyncness.is_some() {
            // The runtime does not require a `Send` future, and the user must write `async` even without an `await`.
            method.attrs.push(parse_quote!(#[allow(clippy::future_not_send, clippy::unused_async)]));
        }
    }
    block
}

/// Returns the items from which an editor completes names: imports of the options, and a macro call around the
/// unfinished items of the block.
///
/// rustc has already reported the unfinished items, and does not compile these imports: only rust-analyzer sets the
/// cfg.
pub fn completion(connector: &Connector, options: TokenStream) -> TokenStream {
    let block = connector.block;
    let krate = connector.options.krate.get();
    let options = editor::import(editor::OF_CONNECTOR, editor::names(options), krate);
    let tokens = connector.unfinished();
    let unfinished = (!tokens.is_empty()).then(|| {
        let import = option::runtime(krate);
        let self_ty = &block.self_ty;
        let (generics, _, where_clause) = block.generics.split_for_impl();
        quote! {
            #[cfg(rust_analyzer)]
            #import
            #[cfg(rust_analyzer)]
            __pathway_io::as_it_is! { impl #generics #self_ty #where_clause { #tokens } }
        }
    });
    quote! {
        // Cargo does not know the cfg that rust-analyzer sets.
        #[allow(unexpected_cfgs)]
        const _: () = {
            #options
            #unfinished
        };
    }
}

/// Changes the parts of the signature that rustc would report as well: adds all bounds that a type may need to the
/// parameters without one, and replaces types without a size.
fn replace_unfit_types(method: &mut ImplItemFn, run: &Run, connector: &Connector) {
    let generics = &connector.block.generics;
    let krate = option::crate_path(connector.options.krate.get(), Span::call_site());
    let clause = method.sig.generics.make_where_clause();
    for (typed, parameter) in typed_inputs(&mut method.sig.inputs).zip(&run.parameters) {
        for unfit in unfit::of(parameter, generics) {
            match unfit {
                Unfit::Borrowed(_) | Unfit::NoRow { .. } | Unfit::Reported => {}
                Unfit::Unsized { ty, .. } => {
                    let mended = types::text(&typed.ty).replace(&types::text(ty), "()");
                    *typed.ty = syn::parse_str(&mended).unwrap_or_else(|_| parse_quote!(()));
                }
                Unfit::Unbound { name, .. } => {
                    let bounds = ["ColumnType", "KeyType", "NotNull", "Schema"];
                    let bounds = bounds.map(|bound| Ident::new(bound, Span::mixed_site()));
                    clause.predicates.push(parse_quote!(#name: #(#krate::__private0::#bounds +)* #krate::Offset));
                }
            }
        }
    }
}

/// Returns the parameters after the receiver.
fn typed_inputs(inputs: &mut Punctuated<FnArg, Token![,]>) -> impl Iterator<Item = &mut PatType> {
    inputs.iter_mut().filter_map(|input| match input {
        FnArg::Receiver(_) => None,
        FnArg::Typed(typed) => Some(typed),
    })
}

/// Adds a `let` for each subject.
fn insert_checks(method: &mut ImplItemFn, run: &Run, connector: &Connector) {
    // `const fn run` is reported elsewhere. A second `#[connector]` adds the checks itself.
    let is_connector = |attribute: &Attribute| types::text(attribute.path()).ends_with("connector");
    if method.sig.constness.is_some() || connector.block.attrs.iter().any(is_connector) {
        return;
    }
    let mut lets = TokenStream::new();
    for (typed, parameter) in typed_inputs(&mut method.sig.inputs).zip(&run.parameters) {
        // `#[cfg]` may remove the parameter, so a parameter with attributes has no `let`.
        let is_plain = typed.attrs.is_empty() && types::is_nameable(&typed.ty);
        if !is_plain || !parameter.may_be_subject() {
            continue;
        }
        let span = row_span(parameter);
        let subject = if_subject(parameter);
        let checked = match parameter.offset() {
            Some(offset) => quote_spanned!(offset.span()=> __pathway_io::IfOffset<#offset, #subject>),
            None => subject,
        };
        let Pat::Ident(PatIdent { by_ref: None, mutability, ident, subpat: None, .. }) = &mut *typed.pat else {
            continue;
        };
        let mutability = mutability.take();
        // The `let` carries the user's span, so these lints would report it as the user's code.
        lets.extend(quote_spanned! {span=>
            #[allow(unused_qualifications, clippy::shadow_reuse, clippy::type_complexity, clippy::used_underscore_binding)]
            let #mutability #ident: #checked = __pathway_io::checked(#ident);
        });
    }
    // The import equals the import next to the `Connector` impl, so that a wrong path causes one error.
    let import = (!lets.is_empty()).then(|| option::runtime(connector.options.krate.get()));
    method.block.stmts.insert(0, statements(quote!(#import #lets)));
}
