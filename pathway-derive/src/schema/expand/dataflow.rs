//! `#[schema(dataflow)]`: the traits that the engine asks of a row.
//!
//! One body shows the fields; that of each trait is a call, and what is done with a column is the runtime's affair.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;

use super::super::ast::{Column, Schema};
use super::tree::{is_own, values};
use crate::{option, types};

/// The impls, if the option is given.
pub fn expand(schema: &Schema, pw: &Ident) -> Option<TokenStream> {
    let given = schema.options.dataflow.key()?;
    let row = schema.ident;
    let (import, flow) = runtime(schema, given);
    let names = schema.columns.iter().map(|column| column.ident.unraw().to_string());
    let view = values(&schema.columns, 0, pw, &|i, column| shown(schema, i, column, &flow));
    Some(quote! {
        #import
        #[automatically_derived]
        impl #flow::Shown for #row {
            const FIELDS: &'static [&'static ::core::primitive::str] = &[#(#names),*];
            fn view(&self) -> impl #flow::View<Row = #flow::RowOf<Self>> {
                #view
            }
        }
        #[automatically_derived]
        impl #flow::Clone for #row {
            fn clone(&self) -> Self {
                #flow::clone(self)
            }
        }
        #[automatically_derived]
        impl #flow::Debug for #row {
            fn fmt(&self, __f: &mut #flow::fmt::Formatter<'_>) -> #flow::fmt::Result {
                #flow::debug(self, __f)
            }
        }
        #[automatically_derived]
        impl #flow::PartialEq for #row {
            fn eq(&self, __other: &Self) -> ::core::primitive::bool {
                #flow::equal(self, __other)
            }
        }
        #[automatically_derived]
        impl #flow::Eq for #row {}
        #[automatically_derived]
        impl #flow::PartialOrd for #row {
            fn partial_cmp(&self, __other: &Self) -> #flow::Option<#flow::Ordering> {
                #flow::Some(#flow::compare(self, __other))
            }
        }
        #[automatically_derived]
        impl #flow::Ord for #row {
            fn cmp(&self, __other: &Self) -> #flow::Ordering {
                #flow::compare(self, __other)
            }
        }
        #[automatically_derived]
        impl #flow::Hash for #row {
            fn hash<H: #flow::Hasher>(&self, __state: &mut H) {
                #flow::hash(self, __state);
            }
        }
        #[automatically_derived]
        impl #flow::Serialize for #row {
            fn serialize<S: #flow::Serializer>(&self, __serializer: S) -> #flow::Result<S::Ok, S::Error> {
                #flow::serialize(self, __serializer)
            }
        }
        #[automatically_derived]
        impl<'de> #flow::Deserialize<'de> for #row {
            fn deserialize<D: #flow::Deserializer<'de>>(__deserializer: D) -> #flow::Result<Self, D::Error> {
                #flow::deserialize(__deserializer)
            }
        }
    })
}

/// The import of what the impls refer to. Without the runtime's feature it is not there, and rustc says so where the
/// option is written.
fn runtime(schema: &Schema, given: &Ident) -> (TokenStream, Ident) {
    let span = given.span();
    let module = option::ident_at(&Ident::new("dataflow", span), span);
    let alias = Ident::new("__pathway_io_dataflow", option::glue(span));
    let import = match schema.options.krate.get() {
        Some(path) => quote_spanned!(span=> use #path::__private0::#module as #alias;),
        None => quote_spanned!(span=> use ::pathway_io::__private0::#module as #alias;),
    };
    (import, alias)
}

/// A field, by reference, as what it is to the runtime.
fn shown(schema: &Schema, i: usize, column: &Column, flow: &Ident) -> TokenStream {
    let (row, ident) = (schema.ident, column.ident);
    if column.is_flat() {
        quote!(#flow::flat(&self.#ident))
    } else if is_own(schema, column) {
        quote!(#flow::own(&self.#ident))
    } else if !column.is_json() {
        quote!(#flow::leaf::<#row, #i>(&self.#ident))
    } else if types::option_of(column.ty).is_some() {
        quote!(#flow::json_option::<#row, #i, _>(&self.#ident))
    } else {
        quote!(#flow::json::<#row, #i, _>(&self.#ident))
    }
}
