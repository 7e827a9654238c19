//! [`Ctxt`]: collects every error of an item, so that they are reported together.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;
use std::thread;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors so far. [`Ctxt::check`] must be called before it is dropped.
pub struct Ctxt {
    errors: RefCell<Option<Vec<syn::Error>>>,
}

impl Ctxt {
    pub fn new() -> Self {
        Ctxt { errors: RefCell::new(Some(Vec::new())) }
    }

    /// Reports an error that underlines all of `tokens`.
    pub fn error(&self, tokens: impl ToTokens, message: impl Display) {
        self.syn_error(syn::Error::new_spanned(tokens, message));
    }

    pub fn error_at(&self, span: Span, message: impl Display) {
        self.syn_error(syn::Error::new(span, message));
    }

    pub fn syn_error(&self, error: syn::Error) {
        if let Some(errors) = self.errors.borrow_mut().as_mut() {
            errors.push(error);
        }
    }

    /// Reports each name that occurs a second time. The text of each item says what it names, such as `column`. Returns
    /// whether all names are different.
    pub fn all_differ<'a>(&self, names: impl IntoIterator<Item = (&'a str, String, Span)>) -> bool {
        let mut seen: HashMap<String, Span> = HashMap::new();
        let mut differ = true;
        for (what, name, span) in names {
            if let Some(first) = seen.get(&name) {
                self.error_at(span, format!("{what} `{name}` is defined twice"));
                self.error_at(*first, "first defined here");
                differ = false;
            } else {
                seen.insert(name, span);
            }
        }
        differ
    }

    pub fn has_errors(&self) -> bool {
        self.errors.borrow().as_ref().is_some_and(|errors| !errors.is_empty())
    }

    /// Returns the errors as `compile_error!` items; empty if there are none.
    pub fn check(self) -> TokenStream {
        let errors = self.errors.borrow_mut().take().unwrap_or_default();
        errors.iter().map(syn::Error::to_compile_error).collect()
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        if self.errors.get_mut().is_some() && !thread::panicking() {
            panic!("the errors of an item were not checked");
        }
    }
}
