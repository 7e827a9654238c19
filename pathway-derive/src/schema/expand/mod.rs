//! The impls for a schema without mistakes.
//!
//! A type that is not a well-known column type is named in one impl, `Field<I>`, and the bound on its associated type
//! causes the one error. All other code uses `Field<I>::Type` through functions of the runtime, and compiles for every
//! type. Bodies and impls cost compile time. Each schema therefore has two bodies, each default has one, and a column
//! of a well-known type without a default and an example has no impl. `cargo check` evaluates each constant of an impl,
//! so the impl contains only lists of literals; the trait joins them where the description is used.

mod convert;
mod data;
mod dataflow;
mod description;
mod fields;
mod keyed;
mod tree;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use self::convert::{from_column, into_column};
pub use self::data::data_of;
pub use self::fields::field_impls;
use self::tree::{is_named_directly, type_tree, value_tree};
use super::ast::{Column, Schema};
use crate::option;

pub fn expand(schema: &Schema) -> TokenStream {
    let (fields, checks) = (field_impls(schema), description::flat_checks(schema));
    // rustc's errors list the existing schemas. The runtime's own do not help a user.
    let is_ours = schema.options.krate.get().is_some_and(|path| path.is_ident("crate"));
    let listed = |item: TokenStream| if is_ours { quote!(#[diagnostic::do_not_recommend] #item) } else { item };
    let body = listed(schema_impl(schema));
    let keyed = keyed::expand(schema).map(listed);
    let removable = removable_impl(schema).map(listed);
    let data = data::expand(schema).map(listed);
    let dataflow = dataflow::expand(schema);
    quote!(#fields #body #checks #keyed #removable #data #dataflow)
}

fn schema_impl(schema: &Schema) -> TokenStream {
    let name = schema.ident.unraw().to_string();
    let tree = type_tree(&schema.columns, &|column| leaf_type(schema, column));
    let fields_row = quote!(<<Self as __pathway_io::Schema>::Fields as __pathway_io::Tree>::Row);
    let (array, lists) = (description::array(schema), description::lists(schema));
    let describe = (!schema.description.is_empty()).then(|| {
        let text = &schema.description;
        quote!(.describe(#text))
    });
    let append_only = schema.options.append_only.is_set().then(|| quote!(.append_only()));
    let deny_unknown = schema.options.deny_unknown.is_set().then(|| quote!(.deny_unknown()));
    let take = value_tree(&schema.columns, &|column| {
        let ident = column.ident;
        into_column(schema, column, quote!(self.#ident))
    });
    let bind = value_tree(&schema.columns, &|column| field_local(column).to_token_stream());
    let idents = schema.columns.iter().map(|column| column.ident);
    let locals = schema.columns.iter().map(|column| from_column(schema, column, field_local(column).to_token_stream()));
    let skipped = skipped_fields(schema);
    let skips = (!schema.skipped.is_empty()).then(|| {
        let names = schema.skipped.iter().map(|field| field.ident.unraw().to_string());
        quote!(.skip(&[#(#names),*]))
    });
    let body = quote! {
        type Fields = #tree;
        type Array = #array;
        const DECLARATION: __pathway_io::Declaration = __pathway_io::Declaration::new(
            __pathway_io::TableSchema::new(#name) #describe #append_only #deny_unknown #skips,
            #lists,
        );
        fn into_fields(self) -> #fields_row {
            #take
        }
        fn from_fields(__fields: #fields_row) -> Self {
            let #bind = __fields;
            Self { #(#idents: #locals,)* #skipped }
        }
    };
    schema.impl_of(quote!(Schema), body)
}

/// Returns the fields that are not columns, in a literal of the row.
fn skipped_fields(schema: &Schema) -> TokenStream {
    let fields = schema.skipped.iter().map(|field| {
        let (ident, ty) = (field.ident, field.ty);
        let span = option::mixed_site_at(ty.span());
        // The type is written out, so that the error for a type without a default is at the field.
        quote_spanned!(span=> #ident: <#ty as __pathway_io::Default>::default(),)
    });
    fields.collect()
}

fn field_local(column: &Column) -> Ident {
    format_ident!("__field_{}", column.index, span = Span::mixed_site())
}

fn removable_impl(schema: &Schema) -> Option<TokenStream> {
    // Without a key, a call of `remove` is then an error about the missing key.
    let is_removable = !schema.options.append_only.is_set() || !schema.columns.iter().any(Column::is_key);
    is_removable.then(|| schema.impl_of(quote!(Removable), TokenStream::new()))
}

/// Returns the leaf of a field in the tree of types.
fn leaf_type(schema: &Schema, column: &Column) -> TokenStream {
    let (row, i) = (schema.ty(), column.index);
    if column.is_flat() {
        let is_key = column.is_key();
        quote!(__pathway_io::Flat<#row, #i, #is_key>)
    } else if is_named_directly(schema, column) {
        let ty = column.ty;
        quote!(__pathway_io::Own<#ty>)
    } else {
        let (default, example) = (column.options.default.is_set(), column.options.example.is_set());
        quote!(__pathway_io::Col<#row, #i, #default, #example>)
    }
}
