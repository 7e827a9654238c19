//! The type for what a column holds.

use super::summary::{Kinds, Summary};

/// What takes everything.
const ANY: &str = "serde_json::Value";

/// A type in Rust, and what there is to say about it.
pub(super) struct Typed {
    pub ty: String,
    pub is_key_type: bool,
    pub remark: Option<String>,
}

/// The type of a column, without the `Option`.
pub(super) fn of_column(summary: &Summary) -> Typed {
    let kinds = &summary.kinds;
    let ty = if summary.is_text { of_texts(kinds) } else { of_kinds(kinds) };
    let remark = (!summary.is_text && ty == ANY).then(|| mixed(kinds)).flatten();
    Typed { is_key_type: matches!(ty.as_str(), "i64" | "u64" | "String"), ty, remark }
}

fn of_kinds(kinds: &Kinds) -> String {
    let Kinds { bools, integers, floats, float_names, texts, lists, objects, .. } = *kinds;
    let numbers = integers + floats;
    let others = [bools, texts, lists, objects];
    if numbers > 0 && others == [0; 4] {
        return number(kinds, floats + float_names > 0);
    }
    match (numbers, bools, texts + float_names, lists, objects) {
        (0, 1.., 0, 0, 0) => "bool".to_owned(),
        (0, 0, 1.., 0, 0) => "String".to_owned(),
        (0, 0, 0, 1.., 0) => list(kinds),
        _ => ANY.to_owned(),
    }
}

/// Returns the type for CSV fields, where everything except a number is text.
fn of_texts(kinds: &Kinds) -> String {
    let Kinds { bools, integers, floats, float_names, texts, .. } = *kinds;
    match (bools, integers + floats, texts) {
        (1.., 0, 0) if float_names == 0 => "bool".to_owned(),
        (0, 1.., 0) => match number(kinds, floats + float_names > 0) {
            any if any == ANY => "String".to_owned(),
            number => number,
        },
        _ => "String".to_owned(),
    }
}

fn number(kinds: &Kinds, is_float: bool) -> String {
    let ty = if is_float {
        "f64"
    } else if kinds.least >= i64::MIN.into() && kinds.most <= i64::MAX.into() {
        "i64"
    } else if kinds.least >= 0 && kinds.most <= u64::MAX.into() {
        "u64"
    } else {
        ANY
    };
    ty.to_owned()
}

/// `Vec<T>` where all the elements are alike, a tuple where they are so place by place, and else a `Vec` of anything.
fn list(kinds: &Kinds) -> String {
    let Some(items) = &kinds.items else { return format!("Vec<{ANY}>") };
    let item = of_kinds(items);
    if item == ANY
        && let Some(2..=12) = kinds.length
    {
        let places: Vec<String> = kinds.places.iter().map(element).collect();
        if places.iter().all(|place| !place.contains(ANY)) {
            return format!("({})", places.join(", "));
        }
    }
    format!("Vec<{}>", element(items))
}

/// The type of an element, that may be null.
fn element(kinds: &Kinds) -> String {
    match of_kinds(kinds) {
        ty if kinds.nulls > 0 && ty != ANY => format!("Option<{ty}>"),
        ty => ty,
    }
}

/// What a column of anything has.
fn mixed(kinds: &Kinds) -> Option<String> {
    let names = [
        (kinds.bools, "booleans"),
        (kinds.integers + kinds.floats, "numbers"),
        (kinds.texts + kinds.float_names, "strings"),
        (kinds.lists, "lists"),
        (kinds.objects, "objects"),
    ];
    let found: Vec<&str> = names.iter().filter(|(count, _)| *count > 0).map(|(_, name)| *name).collect();
    match found.as_slice() {
        [] => Some("always null".to_owned()),
        ["objects"] => None,
        ["numbers"] => Some("numbers too far apart for an integer type".to_owned()),
        found => Some(found.join(" and ")),
    }
}
