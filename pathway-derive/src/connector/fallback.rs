//! A minimal `Connector` impl after an error, so that reading from the connector causes no second error.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Item, ItemEnum, ItemStruct, parse_quote};

use super::ast::{ASYNC, Connector, Parameter, ParameterKind, Run, cfgs};
use super::attr::Options;
use super::expand::type_checks;
use super::handle::{table_type, tuple};
use super::{place, unfit};
use crate::{generics, lifetimes, option, types};

/// Returns the impl for a `run` that does not fit the trait, or for a block without one.
pub fn of_block(connector: &Connector, run: Option<&Run>) -> TokenStream {
    let cfgs = run.into_iter().flat_map(|run| cfgs(run.method));
    let import = option::runtime(connector.options.krate.get());
    // The error about borrowed data has been reported.
    let borrows = !connector.borrowed_at().is_empty();
    let mut generics = generics::with_bounds(&connector.block.generics, &parse_quote!('static));
    let self_ty = lifetimes::with_static(connector.block.self_ty.to_token_stream());
    if generics.type_params().next().is_some() {
        generics.make_where_clause().predicates.push(parse_quote!(#self_ty: __pathway_io::Send));
    }
    let (generics, _, where_clause) = generics.split_for_impl();
    // Nothing more is required of a handle of the other kind, which has been reported, too.
    let checks = run
        .filter(|run| !borrows && unfit::is_fit(run, &connector.block.generics))
        .map(|run| type_checks(connector, run));
    let stub = quote!(__pathway_io::Table<__pathway_io::Stub>);
    let table = |parameter: &Parameter| match parameter.kind {
        _ if types::has_ident(parameter.ty, "impl") || !unfit::of(parameter, &connector.block.generics).is_empty() => {
            Some(stub.clone())
        }
        ParameterKind::Unknown if parameter.is_async() && !ASYNC => Some(stub.clone()),
        ParameterKind::Subject { .. } | ParameterKind::Unknown => Some(table_type(parameter)),
        // A reference has the table of the subject that it refers to.
        ParameterKind::Reference(reference) => match ParameterKind::of(&reference.elem) {
            ParameterKind::Subject { schema, .. } => Some(quote!(__pathway_io::Table<#schema>)),
            _ => Some(stub.clone()),
        },
        // A surplus parameter has no table.
        ParameterKind::NoSubject => None,
    };
    let tables: Vec<TokenStream> = run.iter().flat_map(|run| run.parameters.iter().filter_map(table)).collect();
    let tables = if tables.is_empty() { stub } else { tuple(Span::mixed_site(), tables.into_iter()) };
    let tables = lifetimes::with_static(tables);
    let (body, allow) = (body(&tables), connector.allowed_lints());
    quote! {
        #(#cfgs)*
        #allow
        const _: () = {
            #import
            #checks
            #[automatically_derived]
            impl #generics __pathway_io::Connector for #self_ty #where_clause { #body }
        };
    }
}

fn body(tables: &TokenStream) -> TokenStream {
    quote! {
        type Subjects = __pathway_io::NoSubjects<<Self as __pathway_io::Connector>::Tables>;
        type Tables = #tables;
        fn run(&mut self, _: <Self as __pathway_io::Connector>::Subjects) -> __pathway_io::RunResult { loop {} }
    }
}

/// Generates the impl for an attribute that is on the type, or on the impl of another trait, instead of its impl block.
pub fn of_item(item: &Item, options: &Options) -> Option<TokenStream> {
    let (ty, generics) = match item {
        Item::Struct(ItemStruct { ident, generics, .. }) | Item::Enum(ItemEnum { ident, generics, .. }) => {
            (ident.to_token_stream(), generics)
        }
        Item::Impl(block) if !place::is_of_connector(block) => (block.self_ty.to_token_stream(), &block.generics),
        _ => return None,
    };
    if !generics.params.is_empty() {
        return None;
    }
    let import = option::runtime(options.krate.get());
    let body = body(&quote!(__pathway_io::Table<__pathway_io::Stub>));
    Some(quote! {
        const _: () = {
            #import
            #[automatically_derived]
            impl __pathway_io::Connector for #ty { #body }
        };
    })
}
