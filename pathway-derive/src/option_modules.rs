//! The options of all macros as modules, from which an editor completes them: see [`editor`](crate::editor).

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::editor::{OF_COLUMN, OF_CONNECTOR, OF_STRUCT, OF_TYPE, OF_VARIANT};
use crate::{column, connector, schema};

/// The modules, and the options of each.
const MODULES: [(&str, &[&str]); 5] = [
    (OF_STRUCT, &schema::attr::STRUCT_OPTIONS),
    (OF_COLUMN, &schema::attr::COLUMN_OPTIONS),
    (OF_TYPE, &column::ast::TYPE_OPTIONS),
    (OF_VARIANT, &column::ast::VARIANT_OPTIONS),
    (OF_CONNECTOR, &connector::attr::OPTIONS),
];

/// Returns the modules for the runtime.
pub fn modules() -> TokenStream {
    let modules = MODULES.iter().map(|(module, options)| {
        let module = Ident::new(module, Span::call_site());
        // No item can have the name `crate`.
        let options = options.iter().filter(|option| **option != "crate");
        let options = options.map(|option| Ident::new(option, Span::call_site()));
        quote!(pub mod #module { #(pub const #options: () = ();)* })
    });
    modules.collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_documentation_has_every_option() {
        let documentation = include_str!("lib.rs");
        for (module, options) in super::MODULES {
            for option in options {
                let cell = [format!("`{option}`"), format!("`{option} = "), format!(", {option} = ")];
                let mut rows = documentation.lines().filter(|line| line.starts_with("/// | `"));
                assert!(rows.any(|row| cell.iter().any(|cell| row.contains(cell))), "{option} of {module}");
            }
        }
    }
}
