//! The impls for a column type.
//!
//! What hangs on other traits of the type, as a key does on `Clone`, is an impl with a bound on the type itself: `for<'a>`
//! keeps rustc from judging it before it is asked for.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{GenericParam, Ident};

use super::ast::{Column, Kind};
use crate::option;

pub fn expand(column: &Column) -> TokenStream {
    let (import, pw) = option::runtime(column.krate.get());
    let name = column.ident;
    let impls = match &column.kind {
        Kind::Enum(variants) => {
            let texts = variants.iter().map(|(_, text)| text);
            let to = (0u16..).zip(variants).map(|(i, (ident, _))| quote!(Self::#ident => #i,));
            let from = (0u16..).zip(variants).skip(1).map(|(i, (ident, _))| quote!(#i => Self::#ident,));
            let first = variants.first().map(|(ident, _)| ident);
            let of_variants = of_variants(name, &TokenStream::new(), &TokenStream::new(), &pw);
            quote! {
                #[automatically_derived]
                impl #pw::Variants for #name {
                    const NAMES: &'static [&'static str] = &[#(#texts),*];
                    fn index(&self) -> u16 { match self { #(#to)* } }
                    fn of(index: u16) -> Self { match index { #(#from)* _ => Self::#first } }
                }
                #of_variants
            }
        }
        Kind::Newtype(inner) => quote! {
            #[automatically_derived]
            impl #pw::Newtype for #name {
                type Inner = #inner;
                fn wrap(inner: <Self as #pw::Newtype>::Inner) -> Self { Self(inner) }
                fn into_inner(self) -> <Self as #pw::Newtype>::Inner { self.0 }
                fn inner(&self) -> &<Self as #pw::Newtype>::Inner { &self.0 }
            }
            #[automatically_derived]
            impl #pw::ColumnType for #name
            where
                for<'a> #inner: #pw::ColumnType,
            {
                const DATA_TYPE: #pw::DataType = <<Self as #pw::Newtype>::Inner as #pw::ColumnType>::DATA_TYPE;
                const OPTIONAL: bool = <<Self as #pw::Newtype>::Inner as #pw::ColumnType>::OPTIONAL;
                const ELEMENT: #pw::DataType = <<Self as #pw::Newtype>::Inner as #pw::ColumnType>::ELEMENT;
                const HAS_PLACEHOLDER: bool = <<Self as #pw::Newtype>::Inner as #pw::ColumnType>::HAS_PLACEHOLDER;
                type Buffer = #pw::NewtypeBuffer<Self>;
                type ListBuffer = #pw::ListBuffer<#pw::NewtypeBuffer<Self>>;
            }
            #[automatically_derived]
            impl #pw::NotNull for #name
            where
                for<'a> #inner: #pw::NotNull,
            {
                fn is_null(&self) -> bool { #pw::is_inner_null(self) }
            }
            #[automatically_derived]
            impl #pw::KeyType for #name
            where
                for<'a> #inner: #pw::KeyType,
                for<'a> #name: #pw::Clone,
            {
            }
        },
        Kind::Broken => stub(column, &pw),
    };
    quote! {
        const _: () = {
            #import
            #impls
        };
    }
}

fn of_variants(name: &Ident, parameters: &TokenStream, arguments: &TokenStream, pw: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl #parameters #pw::ColumnType for #name #arguments {
            const DATA_TYPE: #pw::DataType = #pw::DataType::Str;
            type Buffer = #pw::VariantBuffer<Self>;
            type ListBuffer = #pw::ListBuffer<#pw::VariantBuffer<Self>>;
        }
        #[automatically_derived]
        impl #parameters #pw::NotNull for #name #arguments {}
        #[automatically_derived]
        impl #parameters #pw::KeyType for #name #arguments where for<'a> #name #arguments: #pw::Clone {}
    }
}

/// Enough that a column of this type is no further error; for a type with parameters there is no such impl.
fn stub(column: &Column, pw: &Ident) -> TokenStream {
    if column.generics.params.iter().any(|parameter| !matches!(parameter, GenericParam::Lifetime(_))) {
        return TokenStream::new();
    }
    let name = column.ident;
    let arguments = if column.generics.params.is_empty() {
        TokenStream::new()
    } else {
        let lifetimes = column.generics.params.iter().map(|_| quote!('static));
        quote!(<#(#lifetimes),*>)
    };
    let of_variants = of_variants(name, &TokenStream::new(), &arguments, pw);
    // after an error nothing of this ever runs
    quote! {
        #[allow(clippy::empty_loop)]
        #[automatically_derived]
        impl #pw::Variants for #name #arguments {
            const NAMES: &'static [&'static str] = &[];
            fn index(&self) -> u16 { loop {} }
            fn of(_: u16) -> Self { loop {} }
        }
        #of_variants
    }
}
