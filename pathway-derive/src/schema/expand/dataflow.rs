//! `#[schema(dataflow)]`: the traits that the engine requires of a row.
//!
//! One body exposes the fields. The body of each trait is a call, and the runtime does the work for each column.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, parse_quote};

use super::super::ast::{Column, Schema};
use super::tree::{is_named_directly, value_tree};
use crate::{option, types};

/// Returns the impls, if the option is given.
pub fn expand(schema: &Schema) -> Option<TokenStream> {
    let given = schema.options.dataflow.key()?;
    let row = schema.ty();
    let (parameters, _, bounds) = schema.generics.split_for_impl();
    let mut received = schema.generics.clone();
    received.params.insert(0, parse_quote!('__de));
    let (received, _, _) = received.split_for_impl();
    let (import, flow) = runtime(schema, given);
    let names = schema.columns.iter().map(|column| column.ident.unraw().to_string());
    let view = value_tree(&schema.columns, &|column| field_view(schema, column, &flow));
    let row_impl = |name: &str, body: TokenStream| {
        // If another derive has the same impl, rustc points to the option.
        let span = option::mixed_site_at(given.span());
        let (flow, name) = (option::ident_at(&flow, span), Ident::new(name, span));
        let head = quote_spanned!(span=> impl #parameters #flow::#name for #row #bounds);
        let item = option::item_at(span, head, body);
        quote!(#[automatically_derived] #item)
    };
    let impls = [
        row_impl(
            "Shown",
            quote! {
                const FIELDS: &'static [&'static ::core::primitive::str] = &[#(#names),*];
                fn view(&self) -> impl #flow::View<Row = #flow::RowOf<Self>> {
                    #view
                }
            },
        ),
        row_impl("Clone", quote!(fn clone(&self) -> Self { #flow::clone(self) })),
        row_impl(
            "Debug",
            quote!(fn fmt(&self, __f: &mut #flow::fmt::Formatter<'_>) -> #flow::fmt::Result { #flow::debug(self, __f) }),
        ),
        row_impl(
            "PartialEq",
            quote!(fn eq(&self, __other: &Self) -> ::core::primitive::bool { #flow::equal(self, __other) }),
        ),
        row_impl("Eq", TokenStream::new()),
        row_impl(
            "PartialOrd",
            quote! {
                fn partial_cmp(&self, __other: &Self) -> #flow::Option<#flow::Ordering> {
                    #flow::Some(#flow::compare(self, __other))
                }
            },
        ),
        row_impl("Ord", quote!(fn cmp(&self, __other: &Self) -> #flow::Ordering { #flow::compare(self, __other) })),
        row_impl("Hash", quote!(fn hash<__H: #flow::Hasher>(&self, __state: &mut __H) { #flow::hash(self, __state); })),
        row_impl(
            "Serialize",
            quote! {
                fn serialize<__S: #flow::Serializer>(&self, __serializer: __S) -> #flow::Result<__S::Ok, __S::Error> {
                    #flow::serialize(self, __serializer)
                }
            },
        ),
    ];
    Some(quote! {
        #import
        #(#impls)*
        #[automatically_derived]
        impl #received #flow::Deserialize<'__de> for #row #bounds {
            fn deserialize<__D: #flow::Deserializer<'__de>>(__deserializer: __D) -> #flow::Result<Self, __D::Error> {
                #flow::deserialize(__deserializer)
            }
        }
    })
}

/// Returns the import that the impls need. If the runtime lacks the feature, the import fails, and rustc underlines the
/// option.
fn runtime(schema: &Schema, given: &Ident) -> (TokenStream, Ident) {
    let span = given.span();
    let module = Ident::new("dataflow", span);
    let alias = Ident::new("__pathway_io_dataflow", option::mixed_site_at(span));
    let krate = option::crate_path(schema.options.krate.get(), span);
    (quote_spanned!(span=> use #krate::__private0::#module as #alias;), alias)
}

/// Returns a reference to a field, wrapped in the runtime's type for its kind.
fn field_view(schema: &Schema, column: &Column, flow: &Ident) -> TokenStream {
    let (row, i, ident) = (schema.ty(), column.index, column.ident);
    if column.is_flat() {
        quote!(#flow::flat(&self.#ident))
    } else if is_named_directly(schema, column) {
        quote!(#flow::own(&self.#ident))
    } else if column.conversion().is_some() {
        let is_option = types::option_of(column.ty).is_some();
        let view = Ident::new(if is_option { "converted_option" } else { "converted" }, Span::mixed_site());
        quote!(#flow::#view::<#row, #i>(&self.#ident))
    } else if !column.is_json() {
        quote!(#flow::leaf::<#row, #i>(&self.#ident))
    } else if types::option_of(column.ty).is_some() {
        quote!(#flow::json_option::<#row, #i, _>(&self.#ident))
    } else {
        quote!(#flow::json::<#row, #i, _>(&self.#ident))
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    /// rustc refuses a lifetime that shadows another one.
    #[test]
    fn the_lifetime_of_the_impl_is_not_one_of_a_bound() {
        let output = crate::schema::derive(&parse_quote! {
            #[schema(dataflow)]
            struct Row<T: ColumnType + for<'de> Deserialize<'de>> {
                value: T,
            }
        });
        let output = output.to_string();
        assert!(output.contains("impl < '__de , T") && !output.contains("impl < 'de"), "{output}");
    }
}
