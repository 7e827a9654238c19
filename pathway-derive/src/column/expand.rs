//! The impls for a column type.
//!
//! An impl that needs other traits of the type, as a key needs `Clone`, has a bound on the type itself. The `for<'a>`
//! in it makes rustc check the bound only where the impl is used.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Type, parse_quote};

use super::ast::{DerivedType, TypeKind, Variant};
use crate::{generics, option};

pub fn expand(column: &DerivedType, completion: &TokenStream) -> TokenStream {
    let import = option::runtime(column.krate.get());
    let name = column.ident;
    let impls = match &column.kind {
        TypeKind::Enum(variants) => {
            let texts = variants.iter().map(|variant| &variant.text);
            let placed = || (0u16..).zip(variants);
            let to = placed().map(|(i, Variant { ident, .. })| quote!(Self::#ident {} => #i,));
            let from = placed().skip(1).map(|(i, Variant { ident, .. })| quote!(#i => Self::#ident {},));
            let first = variants.first().map(|variant| variant.ident);
            let aliases: Vec<_> = placed()
                .flat_map(|(i, variant)| variant.aliases.iter().map(move |alias| quote!((#alias, #i))))
                .collect();
            let aliases = (!aliases.is_empty()).then(|| {
                quote! {
                    const ALIASES: &'static [(&'static __pathway_io::str, __pathway_io::u16)] = &[#(#aliases),*];
                }
            });
            let other = placed()
                .find(|(_, variant)| variant.is_other)
                .map(|(i, _)| quote!(const OTHER: __pathway_io::Option<__pathway_io::u16> = __pathway_io::Some(#i);));
            let of_variants = of_variants(column);
            quote! {
                #[automatically_derived]
                impl __pathway_io::Variants for #name {
                    const NAMES: &'static [&'static __pathway_io::str] = &[#(#texts),*];
                    #aliases
                    #other
                    fn index(&self) -> __pathway_io::u16 { match self { #(#to)* } }
                    fn of(__index: __pathway_io::u16) -> Self { match __index { #(#from)* _ => Self::#first {} } }
                }
                #of_variants
            }
        }
        TypeKind::Newtype(inner) => of_newtype(name, inner),
        TypeKind::Broken => stub(column),
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
fn of_newtype(name: &Ident, inner: &Type) -> TokenStream {
    // rustc reports a private type in a public newtype at this item. Because the item carries the user's span,
    // `unused_qualifications` would report it as the user's code.
    let of_inner = quote_spanned!(option::mixed_site_at(inner.span())=> type Inner = #inner;);
    let own_inner = quote!(<Self as __pathway_io::Represented>::Inner);
    let impl_token = option::impl_at(name);
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        #impl_token __pathway_io::Represented for #name {
            #of_inner
            fn into_inner(self) -> #own_inner { self.0 }
            fn with_inner<__R>(&self, __f: impl __pathway_io::FnOnce(&#own_inner) -> __R) -> __R { __f(&self.0) }
            fn restore(__inner: #own_inner) -> Self { Self(__inner) }
        }
        #[automatically_derived]
        #impl_token __pathway_io::ColumnType for #name
        where
            for<'a> #inner: __pathway_io::ColumnType,
        {
            const DATA_TYPE: __pathway_io::DataType = <#own_inner as __pathway_io::ColumnType>::DATA_TYPE;
            const OPTIONAL: __pathway_io::bool = <#own_inner as __pathway_io::ColumnType>::OPTIONAL;
            const HAS_PLACEHOLDER: __pathway_io::bool = <#own_inner as __pathway_io::ColumnType>::HAS_PLACEHOLDER;
            type Buffer = __pathway_io::RepresentedBuffer<Self>;
            type ListBuffer = __pathway_io::ListBuffer<__pathway_io::RepresentedBuffer<Self>>;
        }
        #[automatically_derived]
        #impl_token __pathway_io::NotNull for #name
        where
            for<'a> #inner: __pathway_io::NotNull,
        {
            fn is_null(&self) -> __pathway_io::bool { __pathway_io::is_inner_null(self) }
        }
        #[automatically_derived]
        #impl_token __pathway_io::KeyType for #name
        where
            for<'a> #inner: __pathway_io::KeyType,
            for<'a> #name: __pathway_io::Clone,
        {
            fn canonical(self) -> Self { Self(<#own_inner as __pathway_io::KeyType>::canonical(self.0)) }
        }
    }
}

fn of_variants(column: &DerivedType) -> TokenStream {
    let name = column.ident;
    let generics = generics::with_bounds(column.generics, &parse_quote!(__pathway_io::Item));
    let (parameters, _, bounds) = generics.split_for_impl();
    let arguments = generics::arguments(column.generics);
    let mut key = generics.clone();
    key.make_where_clause().predicates.push(parse_quote!(for<'a> #name #arguments: __pathway_io::Clone));
    let key_bounds = key.where_clause;
    quote! {
        #[automatically_derived]
        impl #parameters __pathway_io::ColumnType for #name #arguments #bounds {
            const DATA_TYPE: __pathway_io::DataType = __pathway_io::DataType::Str;
            type Buffer = __pathway_io::VariantBuffer<Self>;
            type ListBuffer = __pathway_io::ListBuffer<__pathway_io::VariantBuffer<Self>>;
        }
        #[automatically_derived]
        impl #parameters __pathway_io::NotNull for #name #arguments #bounds {}
        #[automatically_derived]
        impl #parameters __pathway_io::KeyType for #name #arguments #key_bounds {}
    }
}

/// Generates a minimal impl, so that a column of this type causes no second error.
fn stub(column: &DerivedType) -> TokenStream {
    let name = column.ident;
    let generics = generics::with_bounds(column.generics, &parse_quote!(__pathway_io::Item));
    let (parameters, _, bounds) = generics.split_for_impl();
    let arguments = generics::arguments(column.generics);
    let of_variants = of_variants(column);
    // The macro reports an error as well, so these loops never run.
    quote! {
        #[automatically_derived]
        impl #parameters __pathway_io::Variants for #name #arguments #bounds {
            const NAMES: &'static [&'static __pathway_io::str] = &[];
            fn index(&self) -> __pathway_io::u16 { loop {} }
            fn of(_: __pathway_io::u16) -> Self { loop {} }
        }
        #of_variants
    }
}
