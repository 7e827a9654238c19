//! `Keyed`, where there is a primary key.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Type};

use super::super::ast::{Column, Schema};
use super::convert::into_column;
use super::local;
use super::tree::{is_own, values};
use crate::option;

pub fn expand(schema: &Schema, pw: &Ident) -> Option<TokenStream> {
    let row = schema.ty();
    let (parameters, _, bounds) = schema.generics.split_for_impl();
    let keys: Vec<(usize, &Column)> = schema.columns.iter().enumerate().filter(|(_, c)| c.is_key()).collect();
    if keys.is_empty() {
        return None;
    }
    let types = keys.iter().map(|(_, column)| {
        let ty = column.ty;
        if column.is_flat() { inner_key(ty, pw) } else { ty.to_token_stream() }
    });
    let this = Ident::new("self", Span::mixed_site());
    let copies = keys.iter().map(|(i, column)| {
        let ident = column.ident;
        if column.is_flat() {
            let span = column.ty.span();
            let pw = option::ident_at(pw, span);
            quote_spanned!(span=> #pw::flat_key::<#row, #i>(&#this.#ident))
        } else if column.conversion().is_some() {
            quote!(#pw::converted_key::<#row, #i>(&#this.#ident))
        } else if is_own(schema, column) {
            quote!(#pw::own_key(&#this.#ident))
        } else {
            quote!(#pw::key::<#row, #i>(&#this.#ident))
        }
    });
    let parts = keys.iter().map(|(i, _)| local(*i));
    let partial = values(&schema.columns, 0, pw, &|i, column| {
        let local = local(i);
        match (column.is_flat(), column.is_key()) {
            (false, true) => {
                let value = into_column(schema, i, column, local.to_token_stream(), pw);
                quote!(#pw::Some(#value))
            }
            (false, false) => quote!(#pw::None),
            (true, true) => quote!(#local),
            (true, false) => quote!(()),
        }
    });
    let (key_type, key, pattern) = if keys.len() == 1 {
        (quote!(#(#types)*), quote!(#(#copies)*), quote!(#(#parts)*))
    } else {
        (quote!((#(#types),*)), quote!((#(#copies),*)), quote!((#(#parts),*)))
    };
    let span = keys.iter().find(|(_, column)| column.is_flat()).map_or_else(Span::mixed_site, |(_, c)| c.ty.span());
    let at = option::ident_at(pw, span);
    let own_key = quote_spanned!(span=> <Self as #at::Keyed>::Key);
    let own_partial = quote_spanned!(span=> <<Self as #at::Schema>::Fields as #at::Tree>::Partial);
    // glue at a user's type looks like the user's own to that lint
    let has_flat = keys.iter().any(|(_, column)| column.is_flat());
    let allow = has_flat.then(|| quote!(#[allow(unused_qualifications)]));
    // names are hygienic, so the bodies must have the very same
    let given = Ident::new("__key", Span::mixed_site());
    let key_method = option::item_at(span, quote_spanned!(span=> fn key(&#this) -> #own_key), key);
    let tombstone_head = quote_spanned!(span=> fn tombstone(#given: #own_key) -> #own_partial);
    let tombstone_method = option::item_at(span, tombstone_head, quote!(let #pattern = #given; #partial));
    let head = quote_spanned!(span=> impl #parameters #at::Keyed for #row #bounds);
    let body = quote! {
        type Key = #key_type;
        #key_method
        #tombstone_method
    };
    let keyed_impl = option::item_at(span, head, body);
    Some(quote! {
        #[automatically_derived]
        #allow
        #keyed_impl
    })
}

/// Returns the key of a flattened row. All of it is at the user's type: errors of one text at one place are shown once.
pub fn inner_key(ty: &Type, pw: &Ident) -> TokenStream {
    let span = ty.span();
    let pw = option::ident_at(pw, span);
    quote_spanned!(span=> <#ty as #pw::Keyed>::Key)
}
