//! Finds `#[connector]` at a place where it is not allowed, and suggests the right one.

use syn::{ImplItem, Item, ItemImpl};

use crate::ctxt::Ctxt;
use crate::types;

const MISPLACED: &str = "`#[connector]` must be placed on an inherent `impl` block";

pub fn misplaced(ctxt: &Ctxt, item: &Item) {
    let beside = |ident: &syn::Ident| {
        format!("{MISPLACED}\nhelp: move it to `impl {ident} {{ .. }}`, which has the `run` method")
    };
    match item {
        Item::Struct(item) => ctxt.error(item.struct_token, beside(&item.ident)),
        Item::Enum(item) => ctxt.error(item.enum_token, beside(&item.ident)),
        Item::Union(item) => ctxt.error(item.union_token, beside(&item.ident)),
        Item::Type(item) => ctxt.error(item.type_token, beside(&item.ident)),
        Item::Fn(item) => {
            let help = match item.sig.receiver() {
                Some(_) => "move it to the `impl` block of the method",
                None => "make it the `run` method of a type, and put `#[connector]` on the `impl` block",
            };
            ctxt.error(item.sig.fn_token, format!("{MISPLACED}\nhelp: {help}"));
        }
        Item::Impl(block) => on_trait_impl(ctxt, block),
        Item::Trait(item) => ctxt.error(item.trait_token, format!("{MISPLACED}\nhelp: remove it from the trait")),
        Item::Mod(item) => ctxt.error(item.mod_token, format!("{MISPLACED}\nhelp: move it inside the module")),
        other => ctxt.error(other, format!("{MISPLACED}\nhelp: remove it")),
    }
}

/// Returns whether the block implements `Connector` without the types that the macro adds.
pub fn is_connector_by_macro(block: &ItemImpl) -> bool {
    is_of_connector(block) && !block.items.iter().any(|item| matches!(item, ImplItem::Type(_)))
}

pub fn is_of_connector(block: &ItemImpl) -> bool {
    let path = block.trait_.as_ref().map(|(path, _)| path);
    path.and_then(|path| path.segments.last()).is_some_and(|segment| segment.ident == "Connector")
}

pub fn on_trait_impl(ctxt: &Ctxt, block: &ItemImpl) {
    let Some((path, _)) = &block.trait_ else { return };
    let self_ty = types::text(&block.self_ty);
    let help = if is_connector_by_macro(block) {
        format!("write `impl {self_ty} {{ .. }}`: the macro implements the trait")
    } else if is_of_connector(block) {
        "remove the attribute, since the trait is implemented by hand here".to_owned()
    } else {
        format!("move it to `impl {self_ty} {{ .. }}`, which has the `run` method")
    };
    ctxt.error(path, format!("{MISPLACED}\nhelp: {help}"));
}
