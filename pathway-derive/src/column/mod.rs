//! `#[derive(ColumnType)]`: enums without fields and newtypes as types of columns.

mod ast;
mod expand;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::ctxt::Ctxt;

/// Returns the impls for a column type; after a mistake its errors, and impls that make its uses no further ones.
pub fn derive(input: &DeriveInput) -> TokenStream {
    let ctxt = Ctxt::new();
    let column = ast::Column::from_input(&ctxt, input);
    let errors = ctxt.check();
    let impls = expand::expand(&column);
    quote::quote!(#errors #impls)
}
