//! The description of the columns: lists of their names, descriptions and other properties.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::LitStr;

use super::super::ast::{Column, Schema};
use crate::option;

/// Returns the type of an array of the columns.
pub fn array(schema: &Schema) -> TokenStream {
    let width = schema.columns.len();
    if !schema.columns.iter().any(Column::is_flat) {
        quote!([__pathway_io::Column; #width])
    } else if schema.is_generic() {
        // The length of an array cannot depend on the parameters of the impl.
        quote!(__pathway_io::Generic)
    } else {
        let row = schema.ident;
        quote!([__pathway_io::Column; { __pathway_io::width::<#row>() }])
    }
}

/// Returns the lists of the fields' properties.
pub fn lists(schema: &Schema) -> TokenStream {
    let names = schema.columns.iter().map(Column::label);
    let notes = schema.columns.iter().filter_map(|column| note_of(schema, column));
    let keys = schema.columns.iter().filter(|column| column.is_key() && !column.is_flat());
    let keys = keys.map(|column| column.index);
    let fields = list(schema, |column| column.field() != column.name, |column| column.field().to_token_stream());
    let is_described = |column: &Column| !column.description.is_empty();
    let descriptions = list(schema, is_described, |column| column.description.to_token_stream());
    let has_aliases = |column: &Column| !column.options.aliases.is_empty();
    let aliases = list(schema, has_aliases, |column| {
        let aliases = &column.options.aliases;
        quote!(&[#(#aliases),*])
    });
    quote!(&[#(#names),*], #fields, &[#(#keys),*], #descriptions, #aliases, &[#(#notes),*])
}

/// Returns a list with an entry for each field, or an empty list if no field has the property.
fn list(schema: &Schema, has: impl Fn(&Column) -> bool, entry: impl Fn(&Column) -> TokenStream) -> TokenStream {
    let is_needed = schema.columns.iter().any(|column| !column.is_flat() && has(column));
    let entries = schema.columns.iter().filter(|_| is_needed).map(entry);
    quote!(&[#(#entries),*])
}

fn note_of(schema: &Schema, column: &Column) -> Option<TokenStream> {
    let i = column.index;
    if column.is_flat() {
        let prefix = column.options.prefix.get().filter(|_| !schema.is_generic())?;
        return Some(prefixed_note(schema, i, prefix));
    }
    let path = column.options.path.get()?;
    let (text, steps) = (&path.literal, path.tokens());
    Some(quote!(__pathway_io::Note::Path(#i, #text, #steps)))
}

/// Generates the names of a flattened field's columns, with a prefix. The compiler joins them to one text, of which
/// each name is a slice.
fn prefixed_note(schema: &Schema, i: usize, prefix: &LitStr) -> TokenStream {
    let row = schema.ident;
    quote!(__pathway_io::Note::Prefixed(#i, {
        const FLAT: &[__pathway_io::Column] = __pathway_io::flat_columns::<#row, #i>();
        const TEXT: &[__pathway_io::u8] =
            &__pathway_io::prefixed_text::<{ __pathway_io::prefixed_len(#prefix, FLAT) }>(#prefix, FLAT);
        &__pathway_io::prefixed_names::<{ __pathway_io::count_names(FLAT) }>(#prefix, FLAT, TEXT)
    }))
}

/// Returns whether the names of flattened columns must be compared. Equal names in the struct itself have been
/// reported, and a struct with one flattened schema and nothing else was checked by that schema's own derive.
fn may_clash(schema: &Schema) -> bool {
    schema.names_differ && schema.columns.len() > 1
}

/// Generates assertions that fail if a flattened schema has a key that would be lost, or a duplicate name.
pub fn flat_checks(schema: &Schema) -> TokenStream {
    if schema.is_generic() || !schema.columns.iter().any(Column::is_flat) {
        return TokenStream::new();
    }
    let (row, fields) = (schema.ident, schema.columns.len());
    let mut checks = TokenStream::new();
    let mut is_behind_flat = false;
    for column in &schema.columns {
        let (i, field) = (column.index, column.field());
        if column.is_flat() && !column.is_key() {
            let span = option::mixed_site_at(column.ident.span());
            checks.extend(quote_spanned! {span=>
                const _: () = __pathway_io::assert_keyless(#field, __pathway_io::flat_columns::<#row, #i>());
            });
        }
        if let Some(prefix) = column.options.prefix.get().filter(|_| column.is_flat()) {
            let span = option::mixed_site_at(prefix.span());
            checks.extend(quote_spanned! {span=>
                const _: () =
                    __pathway_io::assert_unreserved(#field, #prefix, __pathway_io::flat_columns::<#row, #i>());
            });
        }
        if may_clash(schema) && i > 0 && (column.is_flat() || is_behind_flat) {
            let span = option::mixed_site_at(column.name_span());
            checks.extend(quote_spanned!(span=> const _: () = __pathway_io::assert_distinct(CLASHES[#i]);));
        }
        is_behind_flat |= column.is_flat();
    }
    if may_clash(schema) {
        checks.extend(quote! {
            const CLASHES: [__pathway_io::Option<__pathway_io::Clash>; #fields] = __pathway_io::clashes::<
                { __pathway_io::width::<#row>() },
                #fields,
            >(<#row as __pathway_io::Schema>::SCHEMA.columns);
        });
    }
    checks
}
