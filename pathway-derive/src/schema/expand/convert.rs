//! Fields whose column has another type: the conversions of `json`, `with` and `try_from`, for the type and for a
//! value.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::super::ast::{Column, Conversion, Schema};
use crate::{option, types};

/// Returns the column type of a field.
pub fn column_type(schema: &Schema, column: &Column) -> TokenStream {
    let ty = column.ty;
    let item = types::option_of(ty);
    let span = item.unwrap_or(ty).span();
    let stored = if column.is_json() {
        let item = column.item();
        quote_spanned!(span=> __pathway_io::Json<#item>)
    } else if let Some(conversion) = column.conversion() {
        let (row, i) = (schema.ty(), column.index);
        let span = option::mixed_site_at(match conversion {
            Conversion::Module(module) => module.span(),
            Conversion::Types { into } => into.span(),
        });
        quote_spanned!(span=> __pathway_io::Converted<#row, #i>)
    } else {
        return ty.to_token_stream();
    };
    if item.is_none() {
        return stored;
    }
    let span = ty.span();
    quote_spanned!(span=> __pathway_io::Option<#stored>)
}

/// Returns the expression that converts a field to its column's value.
pub fn into_column(schema: &Schema, column: &Column, value: TokenStream) -> TokenStream {
    let (row, i) = (schema.ty(), column.index);
    match (column.is_json(), column.conversion().is_some(), types::option_of(column.ty)) {
        (true, _, Some(_)) => quote!(__pathway_io::Option::map(#value, __pathway_io::Json)),
        (true, _, None) => quote!(__pathway_io::Json(#value)),
        (false, true, Some(_)) => quote!(__pathway_io::Option::map(#value, __pathway_io::Converted::<#row, #i>)),
        (false, true, None) => quote!(__pathway_io::Converted::<#row, #i>(#value)),
        (false, false, _) => value,
    }
}

/// Returns the expression that converts a column's value to its field.
pub fn from_column(schema: &Schema, column: &Column, value: TokenStream) -> TokenStream {
    let (row, i) = (schema.ty(), column.index);
    match (column.is_json(), column.conversion().is_some(), types::option_of(column.ty)) {
        (true, _, Some(_)) => quote!(__pathway_io::from_json_option(#value)),
        (false, true, Some(_)) => quote!(__pathway_io::from_converted_option::<#row, #i>(#value)),
        (false, false, _) => value,
        (_, _, None) => quote!(#value.0),
    }
}

/// Returns the impl that converts a field of a foreign type, if it is one.
///
/// Each call has the span of the user's tokens, so that rustc reports a missing function or conversion there.
pub fn conversion_impls(schema: &Schema, column: &Column) -> Option<TokenStream> {
    let (row, i) = (schema.ty(), column.index);
    let (parameters, _, bounds) = schema.generics.split_for_impl();
    let item = column.item();
    let name = types::text(item);
    let article = if name.starts_with(['A', 'E', 'I', 'O', 'i']) { "an" } else { "a" };
    let expected = format!("{article} `{name}`");
    let (stored, by, conversion) = match column.conversion()? {
        Conversion::Module(module) => {
            let span = option::mixed_site_at(module.span());
            // There is one import, so that a module without these items causes one error.
            let names = ["to_column", "from_column", "Column"];
            let [to, from, stored] = names.map(|name| format_ident!("__{name}_{i}", span = span));
            let (of_field, of_column) = (
                quote_spanned!(span=> <Self as __pathway_io::ConvertedField<#i>>::Field),
                quote_spanned!(span=> <Self as __pathway_io::ConvertedField<#i>>::Column),
            );
            let conversion = quote_spanned! {span=>
                use #module::{to_column as #to, from_column as #from, Column as #stored};
                #[automatically_derived]
                impl #parameters __pathway_io::Conversion<#i> for #row #bounds {
                    fn to_column(__field: &#of_field) -> #of_column { #to(__field) }
                    fn from_column(__value: #of_column) -> __pathway_io::Result<#of_field, __pathway_io::String> {
                        __pathway_io::converted::<#of_field, _>(#from(__value))
                    }
                }
            };
            (stored.to_token_stream(), quote!(()), Some(conversion))
        }
        Conversion::Types { into } => (into.to_token_stream(), quote!(__pathway_io::ByTraits), None),
    };
    // rustc reports a private type in a public row at this item. The lint mistakes the item for the user's own.
    let of_field = quote_spanned!(option::mixed_site_at(item.span())=> type Field = #item;);
    let of_column = quote_spanned!(option::mixed_site_at(stored.span())=> type Column = #stored;);
    let body = quote! {
        #of_field
        #of_column
        type By = #by;
        const EXPECTED: &'static __pathway_io::str = #expected;
    };
    let of_field = schema.impl_of(quote!(ConvertedField<#i>), body);
    Some(quote!(#[allow(unused_qualifications)] #of_field #conversion))
}
