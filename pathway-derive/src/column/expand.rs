//! The impls for a column type.
//!
//! An impl that needs other traits of the type, as a key needs `Clone`, has a bound on the type itself. The `for<'a>`
//! in it makes rustc check the bound only where the impl is used.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Type, parse_quote};

use super::ast::{Column, Kind, Variant};
use crate::{generics, option};

pub fn expand(column: &Column, completion: &TokenStream) -> TokenStream {
    let (import, pw) = option::runtime(column.krate.get());
    let name = column.ident;
    let impls = match &column.kind {
        Kind::Enum(variants) => {
            let texts = variants.iter().map(|variant| &variant.text);
            let placed = || (0u16..).zip(variants);
            let to = placed().map(|(i, Variant { ident, .. })| quote!(Self::#ident {} => #i,));
            let from = placed().skip(1).map(|(i, Variant { ident, .. })| quote!(#i => Self::#ident {},));
            let first = variants.first().map(|variant| variant.ident);
            let aliases: Vec<_> = placed()
                .flat_map(|(i, variant)| variant.aliases.iter().map(move |alias| quote!((#alias, #i))))
                .collect();
            let aliases = (!aliases.is_empty())
                .then(|| quote!(const ALIASES: &'static [(&'static #pw::str, #pw::u16)] = &[#(#aliases),*];));
            let other = placed()
                .find(|(_, variant)| variant.is_other)
                .map(|(i, _)| quote!(const OTHER: #pw::Option<#pw::u16> = #pw::Some(#i);));
            let of_variants = of_variants(column, &pw);
            quote! {
                #[automatically_derived]
                impl #pw::Variants for #name {
                    const NAMES: &'static [&'static #pw::str] = &[#(#texts),*];
                    #aliases
                    #other
                    fn index(&self) -> #pw::u16 { match self { #(#to)* } }
                    fn of(__index: #pw::u16) -> Self { match __index { #(#from)* _ => Self::#first {} } }
                }
                #of_variants
            }
        }
        Kind::Newtype(inner) => of_newtype(name, inner, &pw),
        Kind::Broken => stub(column, &pw),
    };
    let allow = &column.allow;
    quote! {
        #allow
        const _: () = {
            #import
            #completion
            #impls
        };
    }
}

/// Generates the impls of a newtype.
fn of_newtype(name: &Ident, inner: &Type, pw: &Ident) -> TokenStream {
    // rustc reports a private type in a public newtype at this item. Because the item carries the user's span,
    // `unused_qualifications` would report it as the user's code.
    let of_inner = quote_spanned!(option::mixed_site_at(inner.span())=> type Inner = #inner;);
    let impl_token = option::impl_at(name);
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        #impl_token #pw::Represented for #name {
            #of_inner
            fn into_inner(self) -> <Self as #pw::Represented>::Inner { self.0 }
            fn with_inner<__R>(&self, __f: impl #pw::FnOnce(&<Self as #pw::Represented>::Inner) -> __R) -> __R {
                __f(&self.0)
            }
            fn restore(__inner: <Self as #pw::Represented>::Inner) -> Self { Self(__inner) }
        }
        #[automatically_derived]
        #impl_token #pw::ColumnType for #name
        where
            for<'a> #inner: #pw::ColumnType,
        {
            const DATA_TYPE: #pw::DataType = <<Self as #pw::Represented>::Inner as #pw::ColumnType>::DATA_TYPE;
            const OPTIONAL: #pw::bool = <<Self as #pw::Represented>::Inner as #pw::ColumnType>::OPTIONAL;
            const HAS_PLACEHOLDER: #pw::bool = <<Self as #pw::Represented>::Inner as #pw::ColumnType>::HAS_PLACEHOLDER;
            type Buffer = #pw::RepresentedBuffer<Self>;
            type ListBuffer = #pw::ListBuffer<#pw::RepresentedBuffer<Self>>;
        }
        #[automatically_derived]
        #impl_token #pw::NotNull for #name
        where
            for<'a> #inner: #pw::NotNull,
        {
            fn is_null(&self) -> #pw::bool { #pw::is_inner_null(self) }
        }
        #[automatically_derived]
        #impl_token #pw::KeyType for #name
        where
            for<'a> #inner: #pw::KeyType,
            for<'a> #name: #pw::Clone,
        {
        }
    }
}

fn of_variants(column: &Column, pw: &Ident) -> TokenStream {
    let name = column.ident;
    let generics = generics::with_bounds(column.generics, &parse_quote!(#pw::Item));
    let (parameters, _, bounds) = generics.split_for_impl();
    let arguments = generics::arguments(column.generics);
    let mut key = generics.clone();
    key.make_where_clause().predicates.push(parse_quote!(for<'a> #name #arguments: #pw::Clone));
    let key_bounds = key.where_clause;
    quote! {
        #[automatically_derived]
        impl #parameters #pw::ColumnType for #name #arguments #bounds {
            const DATA_TYPE: #pw::DataType = #pw::DataType::Str;
            type Buffer = #pw::VariantBuffer<Self>;
            type ListBuffer = #pw::ListBuffer<#pw::VariantBuffer<Self>>;
        }
        #[automatically_derived]
        impl #parameters #pw::NotNull for #name #arguments #bounds {}
        #[automatically_derived]
        impl #parameters #pw::KeyType for #name #arguments #key_bounds {}
    }
}

/// Generates a minimal impl, so that a column of this type causes no second error.
fn stub(column: &Column, pw: &Ident) -> TokenStream {
    let name = column.ident;
    let generics = generics::with_bounds(column.generics, &parse_quote!(#pw::Item));
    let (parameters, _, bounds) = generics.split_for_impl();
    let arguments = generics::arguments(column.generics);
    let of_variants = of_variants(column, pw);
    // The macro reports an error as well, so these loops never run.
    quote! {
        #[automatically_derived]
        impl #parameters #pw::Variants for #name #arguments #bounds {
            const NAMES: &'static [&'static #pw::str] = &[];
            fn index(&self) -> #pw::u16 { loop {} }
            fn of(_: #pw::u16) -> Self { loop {} }
        }
        #of_variants
    }
}
