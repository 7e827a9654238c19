//! Generic parameters of a type that must not have any: the fallback impl after this error still needs them.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, TypeParamBound, WherePredicate};

use crate::{lifetimes, types};

/// Returns the parameters with a bound on each type. Lifetimes are omitted, since [`arguments`] replaces them
/// with `'static`, as do the bounds.
pub fn with_bounds(generics: &Generics, bound: &TypeParamBound) -> Generics {
    let mut bounded = generics.clone();
    if generics.lifetimes().next().is_some() {
        let parameters = generics.params.iter().filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
        bounded.params = parameters
            .filter_map(|parameter| {
                syn::parse2::<GenericParam>(lifetimes::with_static(parameter.to_token_stream())).ok()
            })
            .collect();
        let where_clause = generics.where_clause.as_ref();
        bounded.where_clause =
            where_clause.and_then(|clause| syn::parse2(lifetimes::with_static(clause.to_token_stream())).ok());
    }
    for parameter in &mut bounded.params {
        match parameter {
            GenericParam::Type(parameter) => {
                parameter.bounds.push(bound.clone());
                parameter.default = None;
            }
            GenericParam::Const(parameter) => parameter.default = None,
            GenericParam::Lifetime(_) => {}
        }
    }
    bounded
}

/// Returns how many bounds a type parameter has. Bounds in the `where` clause count, too, even those on types that
/// contain the parameter.
pub fn count_bounds(generics: &Generics, name: &Ident) -> usize {
    let parameter = generics.type_params().find(|parameter| parameter.ident == *name);
    let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let is_about = |predicate: &&WherePredicate| match predicate {
        WherePredicate::Type(predicate) => types::mentions(&predicate.bounded_ty, name),
        _ => false,
    };
    parameter.map_or(0, |parameter| parameter.bounds.len()) + clause.filter(is_about).count()
}

/// Returns the arguments for a type with these parameters; each lifetime is `'static`.
pub fn arguments(generics: &Generics) -> Option<TokenStream> {
    let arguments = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(_) => quote!('static),
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
    });
    (!generics.params.is_empty()).then(|| quote!(<#(#arguments),*>))
}
