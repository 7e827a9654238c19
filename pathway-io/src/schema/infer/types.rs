//! Chooses the type for the values of a column.

use super::summary::{ColumnSummary, Kinds};

/// The type that accepts every value.
const ANY: &str = "serde_json::Value";
/// The type that also keeps the digits of integers beyond 64 bits, which a `Value` refuses.
const RAW: &str = "pathway_io::RawJson";

/// A Rust type, and the comments about it.
pub(super) struct Typed {
    pub ty: String,
    pub is_key_type: bool,
    pub remark: Option<String>,
}

/// Returns the type of a column, without the `Option`.
pub(super) fn of_column(summary: &ColumnSummary) -> Typed {
    let kinds = &summary.kinds;
    let ty = if summary.is_text { of_texts(kinds) } else { of_kinds(kinds) };
    let mut remark = (!summary.is_text && is_any(&ty)).then(|| mixed(kinds)).flatten();
    if kinds.longs > 0 {
        let long = if ty.contains("f64") {
            "integers beyond 64 bits lose digits in an `f64`"
        } else {
            "integers beyond 64 bits keep their digits here"
        };
        remark = Some(remark.map_or_else(|| long.to_owned(), |mixed| format!("{mixed}; {long}")));
    }
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
        _ => any(kinds).to_owned(),
    }
}

/// Returns the type that accepts every value of these kinds.
fn any(kinds: &Kinds) -> &'static str {
    if kinds.longs > 0 { RAW } else { ANY }
}

fn is_any(ty: &str) -> bool {
    ty == ANY || ty == RAW
}

/// Returns the type for CSV fields, where everything except a number is text.
fn of_texts(kinds: &Kinds) -> String {
    let Kinds { bools, integers, floats, float_names, texts, .. } = *kinds;
    match (bools, integers + floats, texts) {
        (1.., 0, 0) if float_names == 0 => "bool".to_owned(),
        (0, 1.., 0) => match number(kinds, floats + float_names > 0) {
            any if is_any(&any) => "String".to_owned(),
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
        any(kinds)
    };
    ty.to_owned()
}

/// Returns `Vec<T>` if all elements have the same type, a tuple if the elements at each position do, and otherwise a
/// `Vec` of JSON values.
fn list(kinds: &Kinds) -> String {
    let Some(items) = &kinds.items else { return format!("Vec<{}>", any(kinds)) };
    let item = of_kinds(items);
    if is_any(&item)
        && let Some(2..=12) = kinds.length
    {
        let places: Vec<String> = kinds.places.iter().map(element).collect();
        if places.iter().all(|place| !place.contains(ANY) && !place.contains(RAW)) {
            return format!("({})", places.join(", "));
        }
    }
    format!("Vec<{}>", element(items))
}

/// Returns the type of an element, which may be null.
fn element(kinds: &Kinds) -> String {
    match of_kinds(kinds) {
        ty if kinds.nulls > 0 && !is_any(&ty) => format!("Option<{ty}>"),
        ty => ty,
    }
}

/// Returns a comment that names the kinds in a column of mixed values.
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
