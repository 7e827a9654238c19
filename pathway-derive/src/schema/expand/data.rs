//! `DataColumn`, where a row can be made of its `data` column alone.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::ast::{Column, Schema};
use super::convert::from_column;
use super::leaf_type;
use crate::types;

/// Returns the impl, if every column but `data` can be omitted.
pub fn expand(schema: &Schema) -> Option<TokenStream> {
    let data = data_of(schema)?;
    let values = schema.columns.iter().map(|column| {
        let ident = column.ident;
        if column.name == "data" {
            return quote!(#ident: __data);
        }
        let leaf = leaf_type(schema, column);
        let missing = from_column(schema, column, quote!(__pathway_io::missing::<#leaf>()));
        quote!(#ident: #missing)
    });
    let ty = data.ty;
    let skipped = super::skipped_fields(schema);
    let body = quote! {
        fn from_data(__data: #ty) -> Self {
            Self { #(#values,)* #skipped }
        }
    };
    Some(schema.impl_of(quote!(DataColumn<#ty>), body))
}

/// Returns the `data` column, if it is the only required column.
pub fn data_of<'s, 'a>(schema: &'s Schema<'a>) -> Option<&'s Column<'a>> {
    let (data, others): (Vec<&Column>, Vec<&Column>) =
        schema.columns.iter().partition(|column| column.name == "data" && column.is_stored_as_it_is());
    let can_be_left_out =
        |column: &&Column| !column.is_flat() && (column.default().is_some() || types::option_of(column.ty).is_some());
    match data.as_slice() {
        [data] if others.iter().all(can_be_left_out) => Some(data),
        _ => None,
    }
}
