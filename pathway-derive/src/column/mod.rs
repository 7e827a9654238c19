//! `#[derive(ColumnType)]`: makes column types of enums without fields and of newtypes.

pub mod ast;
mod expand;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use crate::ctxt::Ctxt;
use crate::{editor, types};

/// Returns the impls for a column type. After a mistake, it returns the errors, and impls that keep its uses from
/// causing more.
pub fn derive(input: &DeriveInput) -> TokenStream {
    let ctxt = Ctxt::new();
    let column = ast::DerivedType::from_input(&ctxt, input);
    let errors = ctxt.check();
    if let Data::Struct(data) = &input.data
        && data.fields.iter().any(|field| types::is_unsized(&field.ty))
    {
        return errors;
    }
    let krate = column.krate.get();
    let completion = editor::of_derive(input, "column", [editor::OF_TYPE, editor::OF_VARIANT], krate);
    let impls = expand::expand(&column, &completion);
    quote!(#impls #errors)
}
