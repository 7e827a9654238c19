//! `Keyed`, if there is a primary key.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Type};

use super::super::ast::{Column, Schema};
use super::convert::into_column;
use super::field_local;
use super::tree::is_named_directly;
use crate::option;

pub fn expand(schema: &Schema) -> Option<TokenStream> {
    let row = schema.ty();
    let (parameters, _, bounds) = schema.generics.split_for_impl();
    let keys: Vec<&Column> = schema.columns.iter().filter(|column| column.is_key()).collect();
    if keys.is_empty() {
        return None;
    }
    let types = keys.iter().map(|column| {
        let ty = column.ty;
        if column.is_flat() { key_of_flattened(ty) } else { ty.to_token_stream() }
    });
    let this = Ident::new("self", Span::mixed_site());
    let copies = keys.iter().map(|column| {
        let (ident, i) = (column.ident, column.index);
        if column.is_flat() {
            let span = column.ty.span();
            quote_spanned!(span=> __pathway_io::flat_key::<#row, #i>(&#this.#ident))
        } else if column.conversion().is_some() {
            quote!(__pathway_io::converted_key::<#row, #i>(&#this.#ident))
        } else if is_named_directly(schema, column) {
            quote!(__pathway_io::own_key(&#this.#ident))
        } else {
            quote!(__pathway_io::key::<#row, #i>(&#this.#ident))
        }
    });
    let span = keys.iter().find(|column| column.is_flat()).map_or_else(Span::mixed_site, |column| column.ty.span());
    let (key_type, key) = if keys.len() == 1 {
        (quote!(#(#types)*), quote!(#(#copies)*))
    } else {
        (quote_spanned!(span=> (#(#types),*)), quote_spanned!(span=> (#(#copies),*)))
    };
    let own_key = quote_spanned!(span=> <Self as __pathway_io::Keyed>::Key);
    let with_parts = with_parts_method(schema, &keys, span, &own_key);
    let foreign = keys.iter().find(|column| !is_named_directly(schema, column));
    // The lint mistakes generated tokens with the span of a user's type for the user's own tokens.
    let allow = foreign.map(|_| quote!(#[allow(unused_qualifications)]));
    let key_method = option::item_at(span, quote_spanned!(span=> fn key(&#this) -> #own_key), key);
    let impl_token = option::impl_at(schema.ident);
    let head = quote_spanned!(span=> #impl_token #parameters __pathway_io::Keyed for #row #bounds);
    // rustc reports a private type in the key of a public row at this item.
    let foreign = foreign.map_or_else(Span::mixed_site, |column| option::mixed_site_at(column.ty.span()));
    let of_key = quote_spanned!(foreign=> type Key = #key_type;);
    let body = quote! {
        #of_key
        #key_method
        #with_parts
    };
    let keyed_impl = option::item_at(span, head, body);
    Some(quote! {
        #[automatically_derived]
        #allow
        #keyed_impl
    })
}

/// Returns the method that splits the key into its parts. A key of one column is its only part, unless the column has
/// another type or is a flattened row.
fn with_parts_method(schema: &Schema, keys: &[&Column], span: Span, own_key: &TokenStream) -> Option<TokenStream> {
    if let [column] = keys
        && column.conversion().is_none()
        && !column.is_flat()
    {
        return None;
    }
    let names: Vec<Ident> = keys.iter().map(|column| option::ident_at(&field_local(column), span)).collect();
    let pattern = if let [name] = names.as_slice() { quote!(#name) } else { quote_spanned!(span=> (#(#names),*)) };
    let row = schema.ty();
    let parts = keys.iter().zip(&names).map(|(column, name)| {
        if column.is_flat() {
            let i = column.index;
            return quote_spanned!(span=> __pathway_io::flat_parts::<#row, #i>(#name, __take););
        }
        let value = into_column(schema, column, name.to_token_stream());
        quote_spanned!(span=> __take(&mut __pathway_io::Some(#value));)
    });
    let take = quote_spanned!(span=> &mut dyn __pathway_io::FnMut(&mut dyn __pathway_io::Any));
    let head = quote_spanned!(span=> fn with_parts(__key: #own_key, __take: #take));
    let body = quote_spanned! {span=>
        let #pattern = __key;
        #(#parts)*
    };
    Some(option::item_at(span, head, body))
}

/// Returns the key type of a flattened row. All its tokens are at the user's type, because rustc shows equal errors at
/// one place once.
pub fn key_of_flattened(ty: &Type) -> TokenStream {
    let span = ty.span();
    quote_spanned!(span=> <#ty as __pathway_io::Keyed>::Key)
}
