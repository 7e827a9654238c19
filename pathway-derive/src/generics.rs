//! The parameters of a type that may have none: what an impl that stands in after that error makes of them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, TypeParamBound};

/// The parameters without lifetimes, which stand as `'static`, and with a bound on types.
pub fn owned(generics: &Generics, bound: &TypeParamBound) -> Generics {
    let mut owned = generics.clone();
    owned.params = generics
        .params
        .iter()
        .filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
        .cloned()
        .map(|mut parameter| {
            if let GenericParam::Type(parameter) = &mut parameter {
                parameter.bounds.push(bound.clone());
                parameter.default = None;
            }
            if let GenericParam::Const(parameter) = &mut parameter {
                parameter.default = None;
            }
            parameter
        })
        .collect();
    owned
}

/// What a type with these parameters is called with, where lifetimes stand as `'static`.
pub fn arguments(generics: &Generics) -> Option<TokenStream> {
    let arguments = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(_) => quote!('static),
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
    });
    (!generics.params.is_empty()).then(|| quote!(<#(#arguments),*>))
}
