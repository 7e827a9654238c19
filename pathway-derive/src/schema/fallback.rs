//! Minimal impls for a struct that cannot have the real ones, so that its uses cause no further errors.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse_quote;

use super::ast::Schema;
use super::expand;
use crate::generics;

pub fn expand(schema: &Schema) -> TokenStream {
    let row = schema.ident;
    let generics = generics::with_bounds(&schema.generics, &parse_quote!('static));
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let arguments = generics::arguments(&schema.generics);
    let name = row.to_string();
    // rustc accepts the struct if only the macro cannot read it, as with a new syntax.
    let refuse = quote!(::core::panic!("`#[derive(Schema)]` cannot read this struct"));
    // The types of the other columns are still checked.
    let fields = (!schema.is_generic()).then(|| expand::field_impls(schema));
    let keyed = key_type(schema).map(|key| {
        quote! {
            #[automatically_derived]
            impl #impl_generics __pathway_io::Keyed for #row #arguments #where_clause {
                type Key = #key;
                fn key(&self) -> <Self as __pathway_io::Keyed>::Key { loop {} }
            }
        }
    });
    let removable = (!schema.options.append_only.is_set()).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics __pathway_io::Removable for #row #arguments #where_clause {}
        }
    });
    let data = (!schema.is_generic()).then(|| expand::data_of(schema)).flatten().map(|data| {
        let ty = data.ty;
        quote! {
            #[automatically_derived]
            impl __pathway_io::DataColumn<#ty> for #row {
                fn from_data(_: #ty) -> Self { loop {} }
            }
        }
    });
    quote! {
        #fields
        #[automatically_derived]
        impl #impl_generics __pathway_io::Schema for #row #arguments #where_clause {
            type Fields = __pathway_io::Own<__pathway_io::bool>;
            type Array = [__pathway_io::Column; 0];
            const DECLARATION: __pathway_io::Declaration =
                __pathway_io::Declaration::new(__pathway_io::TableSchema::new(#name), &[], &[], &[], &[], &[], &[]);
            fn into_fields(self) -> __pathway_io::bool { #refuse }
            fn from_fields(_: __pathway_io::bool) -> Self { #refuse }
        }
        #keyed
        #removable
        #data
    }
}

/// Returns the key type as far as the options determine it. An item without columns has none.
fn key_type(schema: &Schema) -> Option<TokenStream> {
    if schema.is_generic() {
        return None;
    }
    let keys: Vec<TokenStream> = schema
        .columns
        .iter()
        .filter(|column| column.is_key())
        .map(|column| if column.is_broken { quote!(()) } else { column.ty.to_token_stream() })
        .collect();
    match keys.as_slice() {
        [] => None,
        [key] => Some(key.clone()),
        keys => Some(quote!((#(#keys),*))),
    }
}
