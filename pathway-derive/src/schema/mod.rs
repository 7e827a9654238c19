//! `#[derive(Schema)]`.

mod ast;
pub mod attr;
mod check;
mod column_type;
mod expand;
mod fallback;
mod lock;
mod path;
mod sample;
mod source_path;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::ctxt::Ctxt;

/// Returns the impls for a row struct; after a mistake also its errors.
pub fn derive(input: &DeriveInput) -> TokenStream {
    let ctxt = Ctxt::new();
    let mut schema = ast::Schema::from_input(&ctxt, input);
    check::check(&ctxt, &mut schema);
    let sample = (schema.is_sound() && !schema.is_generic()).then(|| sample::check(&ctxt, &schema));
    let lock = (schema.is_sound() && !schema.is_generic()).then(|| lock::check(&ctxt, &schema));
    let errors = ctxt.check();
    let impls = if schema.is_sound() { expand::expand(&schema) } else { fallback::expand(&schema) };
    quote::quote!(#errors #impls #sample #lock)
}
