//! The impls that check the columns' types, and the defaults.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprUnary, Ident, Lit, Type, UnOp};

use super::super::ast::{Column, Schema};
use super::convert::{column_type, conversion_impls, into_column};
use super::keyed::key_of_flattened;
use super::tree::is_named_directly;
use crate::{option, types};

/// Returns the impls that check the columns' types.
pub fn field_impls(schema: &Schema) -> TokenStream {
    let mut impls = TokenStream::new();
    for column in schema.columns.iter().filter(|column| !column.is_broken && !is_named_directly(schema, column)) {
        let (ty, i) = (column.ty, column.index);
        // rustc reports a private type in a public row at these items.
        let span = option::mixed_site_at(ty.span());
        let (name, field_type, rest) = match (column.is_flat(), column.is_key()) {
            (true, false) => (quote!(FlatField), ty.to_token_stream(), TokenStream::new()),
            (true, true) => {
                let key = key_of_flattened(ty);
                (quote!(FlatKeyField), ty.to_token_stream(), quote_spanned!(span=> type Key = #key;))
            }
            (false, is_key) => {
                impls.extend(conversion_impls(schema, column));
                // The error about a default of a key column has been reported.
                let default = column.default().filter(|_| !is_key);
                let default = default
                    .map(|given| value_function(schema, column, quote!(default), given.value.as_ref(), &given.key));
                let example = column.options.example.given();
                let example = example
                    .map(|given| value_function(schema, column, quote!(example), Some(&given.value), &given.key));
                // A key type is also a column type: with both bounds, a type that is neither would cause two errors.
                let name = if is_key { quote!(KeyField) } else { quote!(Field) };
                (name, column_type(schema, column), quote!(#default #example))
            }
        };
        let of_type = quote_spanned!(span=> type Type = #field_type;);
        // The lint mistakes generated tokens with the span of a user's type for the user's own.
        let is_users = if column.is_flat() { !column.is_key() } else { column.is_stored_as_it_is() };
        impls.extend((!is_users).then(|| quote!(#[allow(unused_qualifications)])));
        impls.extend(schema.impl_of(quote!(#name<#i>), quote!(#of_type #rest)));
    }
    impls
}

/// Returns a function that makes a value: the one that is written, or the type's own default. Through its `let`, rustc
/// points from a wrong value to the field's type. A literal that is known to be right needs none, which saves compile
/// time.
fn value_function(
    schema: &Schema,
    column: &Column,
    name: TokenStream,
    written: Option<&Expr>,
    key: &Ident,
) -> TokenStream {
    let ty = column.ty;
    let value = match written {
        Some(value) => convert_literal(value, ty),
        None => {
            let span = option::mixed_site_at(key.span());
            quote_spanned!(span=> __pathway_io::Default::default())
        }
    };
    let body = if column.is_stored_as_it_is() && literal_fits(written, ty) {
        value
    } else {
        let made = into_column(schema, column, quote!(__value));
        quote!(let __value: #ty = #value; #made)
    };
    let column_type = column_type(schema, column);
    quote!(fn #name() -> #column_type { #body })
}

/// Returns whether a literal is known to have the type, from the spelling of both. `None` is the type's own default.
fn literal_fits(value: Option<&Expr>, ty: &Type) -> bool {
    let Some(value) = value else { return types::is_known_column(ty) };
    let ty = types::option_of(ty).unwrap_or(ty);
    let Expr::Lit(ExprLit { lit, .. }) = option::peel(value) else { return false };
    match lit {
        Lit::Str(_) => types::is_string(ty),
        Lit::Bool(_) => types::is_written(ty, &["bool"]),
        Lit::Int(int) => int.suffix().is_empty() && types::is_integer(ty),
        Lit::Float(float) => float.suffix().is_empty() && types::is_float(ty),
        _ => false,
    }
}

/// Returns the expression for a value: a literal is converted to a `String` or an `Option` if the type is one.
fn convert_literal(value: &Expr, ty: &Type) -> TokenStream {
    let unsigned = match option::peel(value) {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => option::peel(expr),
        value => value,
    };
    let Expr::Lit(ExprLit { lit: literal, .. }) = unsigned else { return value.to_token_stream() };
    let span = option::mixed_site_at(value.span());
    if let Some(item) = types::option_of(ty) {
        let value = convert_literal(value, item);
        quote_spanned!(span=> __pathway_io::Some(#value))
    } else if matches!(literal, Lit::Str(_)) && types::is_string(ty) {
        // A function, because a trait method must be in scope, and `From` is not in a crate without a prelude.
        quote_spanned!(span=> __pathway_io::to_string(#value))
    } else if matches!(literal, Lit::Str(_)) && types::is_other_text(ty) {
        quote_spanned!(span=> __pathway_io::convert(#value))
    } else {
        value.to_token_stream()
    }
}
