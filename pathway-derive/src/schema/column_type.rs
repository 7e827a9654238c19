//! Reports field types that can be recognised as wrong by their spelling.

use syn::{Ident, Type};

use crate::ctxt::Ctxt;
use crate::types::{self, text};

/// Types that serde can flatten and a table cannot.
const CONTAINERS: [&str; 3] = ["HashMap", "BTreeMap", "Vec"];

/// Wrappers of one value, which are not schemas even if the value is one.
const POINTERS: [&str; 3] = ["Box", "Rc", "Arc"];

/// Reports a type that does not own its value: a reference, `str` or a slice and, in a plain column, an `Option` of
/// one. A lifetime parameter of the struct is reported elsewhere.
pub fn check_owned(ctxt: &Ctxt, ty: &Type, is_plain: bool) -> bool {
    // rustc reports these in a field, and once more where an impl names the type.
    if types::has_placeholder(ty) {
        return true;
    }
    let inner = types::option_of(ty).filter(|_| is_plain).unwrap_or(ty);
    let (target, is_static) = match types::peel(inner) {
        Type::Reference(reference) => {
            let lifetime = reference.lifetime.as_ref();
            (types::peel(&reference.elem), lifetime.is_some_and(|lifetime| lifetime.ident == "static"))
        }
        inner => (inner, true),
    };
    let owned = match target {
        Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
        Type::Slice(slice) => format!("Vec<{}>", text(&slice.elem)),
        _ if matches!(types::peel(inner), Type::Reference(_)) => text(target),
        _ => return false,
    };
    if is_static {
        let help = if types::option_of(ty).is_some() { format!("Option<{owned}>") } else { owned };
        ctxt.error(ty, format!("a column must own its value\nhelp: use `{help}`"));
    }
    true
}

/// Reports a flattened type that contains a schema or other values, but is not itself a schema. `row` is the struct.
pub fn check_flattened(ctxt: &Ctxt, row: &Ident, ty: &Type) -> bool {
    let Some(segment) = types::last_segment(ty) else { return false };
    let name = &segment.ident;
    let option = types::option_of(ty);
    let pointer = pointer(option.unwrap_or(ty));
    let as_json = "help: `#[schema(json)]` makes one column of it";
    let message = if pointer.is_some_and(|(_, item)| types::is_itself(item, row)) {
        format!("a schema cannot flatten itself\nnote: it would have infinitely many columns\n{as_json}")
    } else if let Some(item) = option.map(text) {
        let help = format!("flatten `{item}` itself, and make its columns `Option`s");
        format!("`flatten` takes a schema, not an `Option` of one\nhelp: {help}")
    } else if let Some((name, item)) = pointer {
        format!("`flatten` takes a schema, not a `{name}` of one\nhelp: flatten `{}` itself", text(item))
    } else if CONTAINERS.iter().any(|container| name == container) && !types::type_arguments(segment).is_empty() {
        format!("`flatten` takes a schema, not a `{name}`\nnote: a schema has one fixed list of columns\n{as_json}")
    } else {
        return false;
    };
    ctxt.error(ty, message);
    true
}

/// Returns the name and the item of a type written `Box<T>` or the like.
fn pointer(ty: &Type) -> Option<(&Ident, &Type)> {
    let segment = types::last_segment(ty)?;
    match types::type_arguments(segment).as_slice() {
        [item] if POINTERS.iter().any(|name| segment.ident == name) => Some((&segment.ident, item)),
        _ => None,
    }
}
