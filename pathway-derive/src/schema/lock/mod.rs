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
    let place = found.unwrap_or(&candidates[0]);
    let lock = match found.map(|place| read(place)) {
        // A lock with the marks of a merge is written again. Any other file may be here by mistake.
        Some(Err(Unreadable { is_lock: true, .. })) if is_update => None,
        Some(Err(Unreadable { reason, is_lock })) => {
            let (place, help) = (place.display(), if is_lock { ACCEPT_NEW } else { RESTORE });
            ctxt.error(literal, format!("cannot read the lock `{name}`: {reason}\nnote: at {place}\n{help}"));
            return TokenStream::new();
        }
        lock => lock.and_then(Result::ok),
    };
    let lock = match lock {
        old if is_update => {
            if ctxt.has_errors() {
                return TokenStream::new();
            }
            match accept::accept(schema, place, old.as_ref()) {
                Ok(lock) => lock,
                Err(error) => {
                    let reason = source_path::reason(&error);
                    let message = format!("cannot write the lock `{name}`: {reason}\nnote: to {}", place.display());
                    ctxt.error(literal, message);
                    return TokenStream::new();
                }
            }
        }
        Some(lock) => lock,
        None => {
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
const RESTORE: &str = "help: name another file, or remove this one, set `PATHWAY_LOCK=update` and build";

/// A file that cannot be read as a lock.
struct Unreadable {
    reason: String,
    /// Whether the file is, or once was, a lock.
    is_lock: bool,
}

fn read(place: &Path) -> Result<Lock, Unreadable> {
    let unreadable = |reason| Unreadable { reason, is_lock: false };
    let head = Head::read(place, MAX_BYTES).map_err(|error| unreadable(source_path::reason(&error)))?;
    if !head.is_whole {
        return Err(unreadable(format!("it is longer than {MAX_BYTES} bytes")));
    }
    let text = std::str::from_utf8(&head.bytes).map_err(|_| unreadable("the text is not valid UTF-8".to_owned()))?;
    Lock::parse(text).map_err(|fault| Unreadable {
        reason: format!("line {}: {}", fault.line, fault.reason),
        // A row of a sample can have a field `lock`, but no line of its file begins with it.
        is_lock: ["\"lock\":", "\"columns\":"]
            .iter()
            .all(|key| text.lines().any(|line| line.trim_start().starts_with(key))),
    })
}
