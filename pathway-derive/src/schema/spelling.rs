//! Finds the type of a column from its spelling, as a [`DataType`] of a lock.

use syn::{Expr, ExprLit, Lit, Type, TypePath};

use crate::files::data_type::DataType;
use crate::types::{self, is_written, last_segment, type_arguments};

/// The set of type names that are recognised.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Only names that users do not give to their own types.
    Certain,
    /// The names of types in well-known crates, too. The compiler then checks the recorded type.
    Likely,
}

/// Returns a type of a column.
pub fn of(ty: &Type, trust: Trust) -> DataType {
    match types::peel(ty) {
        Type::Path(path) if path.qself.is_none() => of_path(ty, path, trust),
        Type::Array(array) => match length(&array.len) {
            Some(len) => DataType::Array(Box::new(of(&array.elem, trust)), len),
            None => DataType::Unknown,
        },
        Type::Tuple(tuple) if !tuple.elems.is_empty() => {
            DataType::Tuple(tuple.elems.iter().map(|item| of(item, trust)).collect())
        }
        _ => DataType::Unknown,
    }
}

fn of_path(ty: &Type, path: &TypePath, trust: Trust) -> DataType {
    let Some(segment) = last_segment(ty) else { return DataType::Unknown };
    let first = path.path.segments.first().map(|first| first.ident.to_string());
    let is_std = matches!(first.as_deref(), Some("std" | "core" | "alloc"));
    if path.path.segments.len() > 1 && !is_std && trust == Trust::Certain {
        return DataType::Unknown;
    }
    let name = segment.ident.to_string();
    match (name.as_str(), type_arguments(segment).as_slice()) {
        ("usize", []) => DataType::Plain("u64"),
        ("isize", []) => DataType::Plain("i64"),
        ("char", []) => DataType::Plain("char"),
        // Without a path, `Duration` may be a type of another crate.
        ("Duration", []) if is_std => DataType::Plain("Duration"),
        ("Option", [item]) => DataType::Optional(Box::new(of(item, trust))),
        ("Vec", [item]) => list(item, trust),
        (name, []) if types::is_primitive(ty) || types::is_string(ty) => DataType::plain(name).unwrap_or_default(),
        (name, arguments) if trust == Trust::Likely => likely(name, arguments),
        _ => DataType::Unknown,
    }
}

/// Returns the type of a list. A list of `u8` is bytes, and a list of a type that is stored as `u8` is not. A list of a
/// type that only the compiler knows may be bytes.
fn list(ty: &Type, trust: Trust) -> DataType {
    match of(ty, trust) {
        DataType::Unknown => DataType::Unknown,
        DataType::Plain("u8") if types::is_primitive(ty) => DataType::Bytes,
        item => DataType::List(Box::new(item)),
    }
}

/// Returns the type for a name from the standard library or a well-known crate that a user's own type could also have.
fn likely(name: &str, arguments: &[&Type]) -> DataType {
    let of = |ty: &Type| of(ty, Trust::Likely);
    match (name, arguments) {
        ("Box" | "Arc", [text]) if is_written(text, &["str"]) => DataType::Plain("String"),
        ("Cow", _) => DataType::Plain("String"),
        ("Box" | "NonZero", [item]) => of(item),
        ("BTreeSet" | "HashSet", [item]) => list(item, Trust::Likely),
        ("BTreeMap" | "HashMap", [name, item]) if types::is_string(name) => DataType::Map(Box::new(of(item))),
        ("DateTime", [zone]) if is_written(zone, &["Utc"]) => DataType::Plain("Timestamp"),
        ("DateTime", [_]) => DataType::Plain("OffsetDateTime"),
        (name, []) => match name {
            "NaiveDate" => DataType::Plain("Date"),
            "NaiveTime" => DataType::Plain("Time"),
            "NaiveDateTime" => DataType::Plain("DateTime"),
            "TimeDelta" => DataType::Plain("SignedDuration"),
            "Bytes" => DataType::Bytes,
            "SystemTime" => DataType::Plain("Timestamp"),
            "RawJson" => DataType::Plain("Value"),
            "PathBuf" | "IpAddr" | "Ipv4Addr" | "Ipv6Addr" | "SocketAddr" | "SocketAddrV4" | "SocketAddrV6" => {
                DataType::Plain("String")
            }
            name => match name.strip_prefix("NonZero") {
                Some(integer) => DataType::plain(&integer.to_lowercase()).unwrap_or_default(),
                None => DataType::plain(name).unwrap_or_default(),
            },
        },
        _ => DataType::Unknown,
    }
}

fn length(len: &Expr) -> Option<usize> {
    match crate::option::peel(len) {
        Expr::Lit(ExprLit { lit: Lit::Int(len), .. }) => len.base10_parse().ok(),
        _ => None,
    }
}
