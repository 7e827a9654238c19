//! Finds `#[connector]` at a place where it is not allowed, and suggests the right one.

use syn::{Item, ItemImpl};

use crate::ctxt::Ctxt;
use crate::types;

pub fn misplaced(ctxt: &Ctxt, item: &Item) {
    let message = "`#[connector]` must be placed on an inherent `impl` block";
    let beside =
        |ident: &syn::Ident| format!("{message}\nhelp: move it to `impl {ident} {{ .. }}`, which has the `run` method");
    match item {
        Item::Struct(item) => ctxt.error(item.struct_token, beside(&item.ident)),
        Item::Enum(item) => ctxt.error(item.enum_token, beside(&item.ident)),
        Item::Union(item) => ctxt.error(item.union_token, beside(&item.ident)),
        Item::Type(item) => ctxt.error(item.type_token, beside(&item.ident)),
        Item::Fn(item) => ctxt.error(
            item.sig.fn_token,
            format!("{message}\nhelp: make it the `run` method of a type, and put `#[connector]` on the `impl` block"),
        ),
        Item::Impl(block) => on_trait_impl(ctxt, block, message),
        Item::Trait(item) => ctxt.error(item.trait_token, format!("{message}\nhelp: remove it from the trait")),
        Item::Mod(item) => ctxt.error(item.mod_token, format!("{message}\nhelp: move it inside the module")),
        other => ctxt.error(other, format!("{message}\nhelp: remove it")),
    }
}

fn on_trait_impl(ctxt: &Ctxt, block: &ItemImpl, message: &str) {
    let Some((path, _)) = &block.trait_ else { return };
    let self_ty = types::text(&block.self_ty);
    let is_connector = path.segments.last().is_some_and(|segment| segment.ident == "Connector");
    let help = if is_connector {
        "remove the attribute, since the trait is implemented by hand here".to_owned()
    } else {
        format!("move it to `impl {self_ty} {{ .. }}`, which has the `run` method")
    };
    ctxt.error(path, format!("{message}\nhelp: {help}"));
}
