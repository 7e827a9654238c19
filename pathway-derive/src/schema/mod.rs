//! `#[derive(Schema)]`.

mod ast;
pub mod attr;
mod check;
pub mod column_type;
mod expand;
mod fallback;
mod lock;
mod path;
mod sample;
mod source_path;
mod spelling;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::ctxt::Ctxt;
use crate::{editor, option};

/// Returns the impls for a row struct. After a mistake, the errors are added.
pub fn derive(input: &DeriveInput) -> TokenStream {
    let ctxt = Ctxt::new();
    let mut schema = ast::Schema::from_input(&ctxt, input);
    check::check(&ctxt, &mut schema);
    let has_files = schema.is_sound() && !schema.is_generic();
    let sample = has_files.then(|| sample::check(&ctxt, &schema));
    let lock = has_files.then(|| lock::check(&ctxt, &schema));
    let errors = ctxt.check();
    if schema.has_no_size() {
        return errors;
    }
    let krate = schema.options.krate.get();
    let import = option::runtime(krate);
    let allow = option::lint_attributes(input, "schema");
    let completion = editor::of_derive(input, "schema", [editor::OF_STRUCT, editor::OF_COLUMN], krate);
    let impls = if schema.is_sound() { expand::expand(&schema) } else { fallback::expand(&schema) };
    quote! {
        #allow
        const _: () = {
            #import
            #completion
            #impls
        };
        #errors
        #sample
        #lock
    }
}
