//! The columns as a balanced tree: of types, of values and of patterns.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::ast::{Column, Schema};
use crate::types;

/// Returns whether the column's type can be named directly, without an impl of `Field`.
///
/// A name such as `String` may belong to another type. In a plain column, that causes one error. In a key or in a
/// computed row, it would cause one error for each requirement, so only primitive types are named directly there.
pub fn is_named_directly(schema: &Schema, column: &Column) -> bool {
    let options = &column.options;
    let is_plain = column.is_stored_as_it_is() && !options.default.is_set() && !options.example.is_set();
    let is_known = if column.is_key() {
        types::is_primitive_key
    } else if schema.options.dataflow.is_set() {
        types::is_primitive
    } else {
        types::is_known_column
    };
    is_plain && is_known(column.ty)
}

/// Returns the columns as a balanced tree of types.
pub fn type_tree(columns: &[Column], leaf: &dyn Fn(&Column) -> TokenStream) -> TokenStream {
    fold_balanced(columns, leaf, &|left, right| quote!(__pathway_io::Pair<#left, #right>))
}

/// Returns the columns as a balanced tree of values or patterns.
pub fn value_tree(columns: &[Column], leaf: &dyn Fn(&Column) -> TokenStream) -> TokenStream {
    fold_balanced(columns, leaf, &|left, right| quote!((#left, #right)))
}

fn fold_balanced(
    columns: &[Column],
    leaf: &dyn Fn(&Column) -> TokenStream,
    pair: &dyn Fn(TokenStream, TokenStream) -> TokenStream,
) -> TokenStream {
    match columns {
        [] => TokenStream::new(),
        [column] => leaf(column),
        _ => {
            let (left, right) = columns.split_at(columns.len() / 2);
            pair(fold_balanced(left, leaf, pair), fold_balanced(right, leaf, pair))
        }
    }
}
