//! The types of columns in the spelling of a lock, which is the `Display` of the runtime's `DataType`.

use std::fmt;

/// The limit for nested types. A file can contain anything, and no struct has deeper types.
const DEPTH: usize = 32;

/// The types without parameters, by their spelling and by their names in the runtime.
pub const PLAIN: [(&str, &str); 24] = [
    ("bool", "Bool"),
    ("i8", "I8"),
    ("i16", "I16"),
    ("i32", "I32"),
    ("i64", "I64"),
    ("u8", "U8"),
    ("u16", "U16"),
    ("u32", "U32"),
    ("u64", "U64"),
    ("i128", "I128"),
    ("u128", "U128"),
    ("f32", "F32"),
    ("f64", "F64"),
    ("String", "Str"),
    ("Value", "Json"),
    ("Duration", "Duration"),
    ("SignedDuration", "SignedDuration"),
    ("Date", "Date"),
    ("Time", "Time"),
    ("DateTime", "DateTime"),
    ("Timestamp", "Timestamp"),
    ("OffsetDateTime", "OffsetDateTime"),
    ("Uuid", "Uuid"),
    ("Decimal", "Decimal"),
];

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DataType {
    /// A type of [`PLAIN`], by its spelling, or `char`, which is a `Str` in the runtime.
    Plain(&'static str),
    Bytes,
    /// A map by name.
    Map(Box<DataType>),
    Optional(Box<DataType>),
    List(Box<DataType>),
    Array(Box<DataType>, usize),
    Tuple(Vec<DataType>),
    /// A type that only the compiler knows.
    #[default]
    Unknown,
}

impl DataType {
    pub fn plain(name: &str) -> Option<DataType> {
        PLAIN.iter().find(|(known, _)| *known == name).map(|(known, _)| DataType::Plain(known))
    }

    /// Returns the type without its `Option`, and whether it is an `Option`.
    pub fn without_option(self) -> (DataType, bool) {
        match self {
            DataType::Optional(item) => (*item, true),
            data_type => (data_type, false),
        }
    }

    /// Returns whether only the compiler knows the type or a part of it.
    pub fn has_unknown(&self) -> bool {
        match self {
            DataType::Unknown => true,
            DataType::Map(item) | DataType::Optional(item) | DataType::List(item) | DataType::Array(item, _) => {
                item.has_unknown()
            }
            DataType::Tuple(items) => items.iter().any(DataType::has_unknown),
            DataType::Plain(_) | DataType::Bytes => false,
        }
    }

    /// Parses the spelling that `Display` writes, and no other.
    pub fn parse(text: &str) -> Option<DataType> {
        let mut rest = text;
        let data_type = parse(&mut rest, 0)?;
        (rest.is_empty() && data_type.to_string() == text).then_some(data_type)
    }

    /// Returns whether every value of `old` is read by a column of this type.
    pub fn reads(&self, old: &DataType) -> bool {
        match (old, self) {
            (DataType::Plain(old), DataType::Plain(new)) => old == new || widens(old, new),
            (DataType::Optional(old), DataType::Optional(new)) => new.reads(old),
            (old, DataType::Optional(new)) => new.reads(old),
            (DataType::Map(old), DataType::Map(new)) | (DataType::List(old), DataType::List(new)) => new.reads(old),
            (DataType::Array(old, _), DataType::List(new)) => new.reads(old),
            (DataType::Array(old, len), DataType::Array(new, new_len)) => len == new_len && new.reads(old),
            (DataType::Tuple(olds), DataType::Tuple(news)) => {
                olds.len() == news.len() && olds.iter().zip(news).all(|(old, new)| new.reads(old))
            }
            (old, new) => old == new,
        }
    }
}

/// Returns whether every value of the old type is a value of the new one, in its text form too.
fn widens(old: &str, new: &str) -> bool {
    match (integer(old), integer(new)) {
        (Some((old_signed, old_bits)), Some((signed, bits))) => bits > old_bits && (signed || !old_signed),
        _ => matches!((old, new), ("f32", "f64") | ("char", "String")),
    }
}

/// Returns whether an integer type has a sign, and its bits.
pub fn integer(name: &str) -> Option<(bool, u32)> {
    let bits = name.strip_prefix(['i', 'u'])?.parse().ok()?;
    Some((name.starts_with('i'), bits))
}

/// Reads the type at the start of `text`, and removes it.
fn parse(text: &mut &str, depth: usize) -> Option<DataType> {
    if depth > DEPTH {
        return None;
    }
    if eat(text, "(") {
        let mut items = Vec::new();
        loop {
            items.push(parse(text, depth + 1)?);
            if items.len() == 1 && eat(text, ",)") || eat(text, ")") {
                return Some(DataType::Tuple(items));
            }
            if !eat(text, ", ") {
                return None;
            }
        }
    }
    if eat(text, "[") {
        let item = parse(text, depth + 1)?;
        let digits = text.strip_prefix("; ")?;
        let end = digits.find(']')?;
        let len = digits[..end].parse().ok()?;
        *text = &digits[end + 1..];
        return Some(DataType::Array(Box::new(item), len));
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    *text = rest;
    if !matches!(name, "Map" | "Option" | "Vec" | "List") {
        return if name == "char" { Some(DataType::Plain("char")) } else { DataType::plain(name) };
    }
    if !eat(text, if name == "Map" { "<String, " } else { "<" }) {
        return None;
    }
    let item = parse(text, depth + 1)?;
    let is_closed = eat(text, ">");
    is_closed.then(|| match name {
        "Map" => DataType::Map(Box::new(item)),
        "Vec" if item == DataType::Plain("u8") => DataType::Bytes,
        "Vec" | "List" => DataType::List(Box::new(item)),
        _ => DataType::Optional(Box::new(item)),
    })
}

fn eat(text: &mut &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix);
    *text = rest.unwrap_or(text);
    rest.is_some()
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Plain(name) => f.write_str(name),
            DataType::Unknown => f.write_str("_"),
            DataType::Bytes => f.write_str("Vec<u8>"),
            DataType::Map(item) => write!(f, "Map<String, {item}>"),
            DataType::Optional(item) => write!(f, "Option<{item}>"),
            // `Vec<u8>` is bytes.
            DataType::List(item) if **item == DataType::Plain("u8") => f.write_str("List<u8>"),
            DataType::List(item) => write!(f, "Vec<{item}>"),
            DataType::Array(item, len) => write!(f, "[{item}; {len}]"),
            DataType::Tuple(items) => {
                f.write_str("(")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(if items.len() == 1 { ",)" } else { ")" })
            }
        }
    }
}
