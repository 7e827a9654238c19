//! Completion of the options in an editor.
//!
//! rust-analyzer completes a name in a `use` from the items of the module. Each name in an attribute is therefore
//! imported from a module of the runtime that contains one item for each option; see
//! [`modules`](crate::option_modules::modules). rustc drops the import, because only rust-analyzer sets its cfg.
//!
//! The imports come first in the output, before any text that depends on a name, such as an error that mentions it. The
//! reason is that rust-analyzer expands the macro with and without a marker at the cursor, and expects the same text
//! before the marker.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, DeriveInput, Path};

use crate::option;

/// The names of the modules.
pub const OF_STRUCT: &str = "of_struct";
pub const OF_COLUMN: &str = "of_column";
pub const OF_TYPE: &str = "of_type";
pub const OF_VARIANT: &str = "of_variant";
pub const OF_CONNECTOR: &str = "of_connector";

/// Returns the imports for a derive: of the options of its item, and of the options of its fields or variants.
pub fn of_derive(input: &DeriveInput, helper: &str, [outer, inner]: [&str; 2], krate: Option<&Path>) -> TokenStream {
    let outer = of_attributes(outer, helper, &input.attrs, krate);
    let inner = of_attributes(inner, helper, option::inner_attributes(&input.data), krate);
    quote!(#outer #inner)
}

fn of_attributes<'a>(
    module: &str,
    helper: &str,
    attributes: impl IntoIterator<Item = &'a Attribute>,
    krate: Option<&Path>,
) -> Option<TokenStream> {
    let attributes = attributes.into_iter().filter(|attribute| attribute.path().is_ident(helper));
    let mut lists = attributes
        .map(|attribute| attribute.meta.require_list().map_or_else(|_| TokenStream::new(), |list| list.tokens.clone()))
        .peekable();
    lists.peek()?;
    Some(import(module, lists.flat_map(names), krate))
}

/// Returns the import of options.
pub fn import(module: &str, names: impl Iterator<Item = Ident>, krate: Option<&Path>) -> TokenStream {
    let krate = option::crate_path(krate, Span::call_site());
    let module = Ident::new(module, Span::mixed_site());
    quote! {
        #[cfg(rust_analyzer)]
        use #krate::__private0::options::#module::{#(#names as _),*};
    }
}

/// Returns the names in a list of options, whether it parses or not.
pub fn names(options: TokenStream) -> impl Iterator<Item = Ident> {
    let mut is_first = true;
    let firsts = options.into_iter().filter(move |token| {
        let is_comma = matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
        std::mem::replace(&mut is_first, is_comma)
    });
    // A keyword does not parse as an `Ident`.
    firsts.filter_map(|token| syn::parse2(token.into()).ok())
}
