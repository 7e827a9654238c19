//! The impls that check the columns' types, and the defaults.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprUnary, Ident, Lit, Type, UnOp};

use super::super::ast::{Column, Schema};
use super::convert::{column_type, conversion_impls, into_column};
use super::keyed::key_of_flattened;
use super::tree::is_named_directly;
use crate::{option, types};

/// Returns the impls that check the columns' types.
pub fn field_impls(schema: &Schema, pw: &Ident) -> TokenStream {
    let row = schema.ty();
    let (parameters, _, bounds) = schema.generics.split_for_impl();
    let mut impls = TokenStream::new();
    for (i, column) in
        schema.columns.iter().enumerate().filter(|(_, column)| !column.is_broken && !is_named_directly(schema, column))
    {
        let ty = column.ty;
        // A private type in a public row is an error at this item.
        let span = option::mixed_site_at(ty.span());
        if column.is_flat() {
            let of_type = quote_spanned!(span=> type Type = #ty;);
            impls.extend(if column.is_key() {
                let key = key_of_flattened(ty, pw);
                // The lint mistakes generated tokens with the span of a user's type for the user's own.
                quote! {
                    #[automatically_derived]
                    #[allow(unused_qualifications)]
                    impl #parameters #pw::FlatKeyField<#i> for #row #bounds { #of_type type Key = #key; }
                }
            } else {
                quote! {
                    #[automatically_derived]
                    impl #parameters #pw::FlatField<#i> for #row #bounds { #of_type }
                }
            });
            continue;
        }
        // The error about a default of a key column has been reported.
        let default = column.default().filter(|_| !column.is_key()).map(|default| {
            let value = match &default.value {
                Some(value) => convert_literal(value, ty, pw),
                None => {
                    let span = option::mixed_site_at(default.key.span());
                    let pw = option::ident_at(pw, span);
                    quote_spanned!(span=> #pw::Default::default())
                }
            };
            value_function(schema, i, pw, "default", column, default.value.as_ref(), &value)
        });
        let example = column.options.example.get().map(|example| {
            value_function(schema, i, pw, "example", column, Some(example), &convert_literal(example, ty, pw))
        });
        impls.extend(conversion_impls(schema, i, column, pw));
        let column_type = column_type(schema, i, column, pw);
        let of_type = quote_spanned!(span=> type Type = #column_type;);
        // The lint mistakes generated tokens with the span of a user's type for the user's own.
        let allow = (!column.is_stored_as_it_is()).then(|| quote!(#[allow(unused_qualifications)]));
        // A key type is also a column type: with both bounds, a type that is neither would be two errors.
        let field = Ident::new(if column.is_key() { "KeyField" } else { "Field" }, Span::mixed_site());
        impls.extend(quote! {
            #[automatically_derived]
            #allow
            impl #parameters #pw::#field<#i> for #row #bounds { #of_type #default #example }
        });
    }
    impls
}

/// Returns a function that makes a value. Through its `let`, rustc points from a wrong value to the field's type. A
/// literal that is known to be right needs none, which saves compile time.
fn value_function(
    schema: &Schema,
    i: usize,
    pw: &Ident,
    name: &str,
    column: &Column,
    written: Option<&Expr>,
    value: &TokenStream,
) -> TokenStream {
    let fits = column.is_stored_as_it_is() && literal_fits(written, column.ty);
    let name = Ident::new(name, Span::mixed_site());
    let ty = column.ty;
    let column_type = column_type(schema, i, column, pw);
    let made = into_column(schema, i, column, quote!(__value), pw);
    let body = if fits { value.clone() } else { quote!(let __value: #ty = #value; #made) };
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
fn convert_literal(value: &Expr, ty: &Type, pw: &Ident) -> TokenStream {
    let literal = match option::peel(value) {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match option::peel(expr) {
            Expr::Lit(ExprLit { lit, .. }) => Some(lit),
            _ => None,
        },
        _ => None,
    };
    let Some(literal) = literal else { return value.to_token_stream() };
    let span = option::mixed_site_at(value.span());
    let pw = &option::ident_at(pw, span);
    if let Some(item) = types::option_of(ty) {
        let value = convert_literal(value, item, pw);
        quote_spanned!(span=> #pw::Some(#value))
    } else if matches!(literal, Lit::Str(_)) && types::is_string(ty) {
        // A function, because a trait method must be in scope, and `From` is not in a crate without a prelude.
        quote_spanned!(span=> #pw::to_string(#value))
    } else if matches!(literal, Lit::Str(_)) && types::is_other_text(ty) {
        quote_spanned!(span=> #pw::convert(#value))
    } else {
        value.to_token_stream()
    }
}
