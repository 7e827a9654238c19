//! `lock = "cat.schema.json"`: compares the schema with the one that was last accepted.
//!
//! The macro reads the file and compares the struct with it (`compare`). A change is an error unless existing rows can
//! still be read. If only the compiler can resolve a type's name, a `const` function of the runtime does the
//! comparison. Only `PATHWAY_LOCK=update` in the environment makes the macro rewrite the file (`accept`).

mod accept;
mod compare;
#[cfg(test)]
mod tests;

use std::env;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use super::ast::Schema;
use super::source_path;
use crate::ctxt::Ctxt;
use crate::files::head::Head;
use crate::files::lock::Lock;
use crate::option;

/// The environment variable that makes the macro write locks.
const UPDATE_VARIABLE: &str = "PATHWAY_LOCK";
/// The maximum number of bytes of a lock.
const MAX_BYTES: usize = 1 << 20;

const COMPATIBLE: &str =
    "note: compatible are a new column with a default or an `Option`, a wider integer, another description";
const ACCEPT: &str = "help: to accept it, set `PATHWAY_LOCK=update` and build";

/// Compares the schema with its lock, if it has one, or writes the lock.
pub fn check(ctxt: &Ctxt, schema: &Schema) -> TokenStream {
    let Some(literal) = schema.options.lock.get() else { return TokenStream::new() };
    let row = schema.ident;
    let import = option::runtime(schema.options.krate.get());
    let checks = check_file(ctxt, schema, literal);
    quote! {
        // `option_env!` makes cargo notice a change of the variable.
        const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!(#UPDATE_VARIABLE);
        const _: () = {
            #import
            #[automatically_derived]
            impl __pathway_io::Locked for #row {}
            #checks
        };
    }
}

fn check_file(ctxt: &Ctxt, schema: &Schema, literal: &LitStr) -> TokenStream {
    let is_update = match env::var_os(UPDATE_VARIABLE) {
        None => false,
        Some(value) if value.is_empty() => false,
        Some(value) if value == "update" => true,
        Some(value) => {
            let value = value.to_string_lossy();
            ctxt.error(literal, format!("`{UPDATE_VARIABLE}` is `{value}`, and can only be `update`"));
            return TokenStream::new();
        }
    };
    let candidates = source_path::candidates(literal);
    let found = source_path::find(&candidates);
    let name = literal.value();
    let lock = found.map(|place| read(place));
    let (place, lock) = match (found, lock, is_update) {
        (place, lock, true) => {
            if ctxt.has_errors() {
                return TokenStream::new();
            }
            let place = place.unwrap_or(&candidates[0]);
            let old = lock.and_then(Result::ok);
            match accept::accept(schema, place, old.as_ref()) {
                Ok(lock) => (place, lock),
                Err(error) => {
                    let reason = source_path::reason(&error);
                    let message = format!("cannot write the lock `{name}`: {reason}\nnote: to {}", place.display());
                    ctxt.error(literal, message);
                    return TokenStream::new();
                }
            }
        }
        (Some(place), Some(Ok(lock)), false) => (place, lock),
        (Some(place), Some(Err(reason)), false) => {
            let place = place.display();
            ctxt.error(literal, format!("cannot read the lock `{name}`: {reason}\nnote: at {place}\n{ACCEPT_NEW}"));
            return TokenStream::new();
        }
        _ => {
            let places = source_path::list(&candidates);
            let message = format!("there is no lock `{name}` yet\nnote: looked for {places}\n{ACCEPT_NEW}");
            ctxt.error(literal, message);
            return TokenStream::new();
        }
    };
    let checks = compare::compare(ctxt, schema, literal, &lock, is_update);
    let track = source_path::track(place, 0);
    quote!(#track #checks)
}

const ACCEPT_NEW: &str = "help: to write it, set `PATHWAY_LOCK=update` and build";

fn read(place: &Path) -> Result<Lock, String> {
    let head = Head::read(place, MAX_BYTES).map_err(|error| source_path::reason(&error))?;
    if !head.is_whole {
        return Err(format!("it is longer than {MAX_BYTES} bytes"));
    }
    let text = std::str::from_utf8(&head.bytes).map_err(|_| "the text is not valid UTF-8".to_owned())?;
    Lock::parse(text).map_err(|fault| format!("line {}: {}", fault.line, fault.reason))
}
