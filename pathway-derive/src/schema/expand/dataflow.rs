//! `#[schema(dataflow)]`: the traits that the engine requires of a row.
//!
//! One body exposes the fields. The body of each trait is a call, and the runtime does the work for each column.

use proc_macro2::TokenStream;
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
    // If the runtime lacks the feature, the import fails, and rustc underlines the option.
    let krate = option::crate_path(schema.options.krate.get(), given.span());
    let import = quote_spanned!(given.span()=> use #krate::__private0::dataflow as __flow;);
    let names = schema.columns.iter().map(|column| column.ident.unraw().to_string());
    let view = value_tree(&schema.columns, &|column| field_view(schema, column));
    let row_impl = |name: &str, body: TokenStream| {
        // If another derive has the same impl, rustc points to the option.
        let span = option::mixed_site_at(given.span());
        let name = Ident::new(name, span);
        let head = quote_spanned!(span=> impl #parameters __flow::#name for #row #bounds);
        let item = option::item_at(span, head, body);
        quote!(#[automatically_derived] #item)
    };
    let impls = [
        row_impl(
            "Shown",
            quote! {
                const FIELDS: &'static [&'static ::core::primitive::str] = &[#(#names),*];
                fn view(&self) -> impl __flow::View<Row = __flow::RowOf<Self>> {
                    #view
                }
            },
        ),
        row_impl("Clone", quote! { fn clone(&self) -> Self { __flow::clone(self) } }),
        row_impl(
            "Debug",
            quote! {
                fn fmt(&self, __f: &mut __flow::fmt::Formatter<'_>) -> __flow::fmt::Result { __flow::debug(self, __f) }
            },
        ),
        row_impl(
            "PartialEq",
            quote! { fn eq(&self, __other: &Self) -> ::core::primitive::bool { __flow::equal(self, __other) } },
        ),
        row_impl("Eq", TokenStream::new()),
        row_impl(
            "PartialOrd",
            quote! {
                fn partial_cmp(&self, __other: &Self) -> __flow::Option<__flow::Ordering> {
                    __flow::Some(__flow::compare(self, __other))
                }
            },
        ),
        row_impl(
            "Ord",
            quote! { fn cmp(&self, __other: &Self) -> __flow::Ordering { __flow::compare(self, __other) } },
        ),
        row_impl(
            "Hash",
            quote! { fn hash<__H: __flow::Hasher>(&self, __state: &mut __H) { __flow::hash(self, __state); } },
        ),
        row_impl(
            "Serialize",
            quote! {
                fn serialize<__S: __flow::Serializer>(&self, __serializer: __S) -> __flow::Result<__S::Ok, __S::Error> {
                    __flow::serialize(self, __serializer)
                }
            },
        ),
    ];
    Some(quote! {
        #import
        #(#impls)*
        #[automatically_derived]
        impl #received __flow::Deserialize<'__de> for #row #bounds {
            fn deserialize<__D: __flow::Deserializer<'__de>>(__deserializer: __D) -> __flow::Result<Self, __D::Error> {
                __flow::deserialize(__deserializer)
            }
        }
    })
}

/// Returns a reference to a field, wrapped in the runtime's type for its kind.
fn field_view(schema: &Schema, column: &Column) -> TokenStream {
    let (row, i, ident) = (schema.ty(), column.index, column.ident);
    let is_option = types::option_of(column.ty).is_some();
    let view = match (column.conversion().is_some(), column.is_json(), is_option) {
        _ if column.is_flat() => quote!(flat),
        _ if is_named_directly(schema, column) => quote!(own),
        (true, _, false) => quote!(converted::<#row, #i>),
        (true, _, true) => quote!(converted_option::<#row, #i>),
        (false, true, false) => quote!(json::<#row, #i, _>),
        (false, true, true) => quote!(json_option::<#row, #i, _>),
        (false, false, _) => quote!(leaf::<#row, #i>),
    };
    quote!(__flow::#view(&self.#ident))
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
