//! What a name of the user's stands for, guessed for a lock that is written: the compiler, that knows, tells a macro
//! nothing, but it holds the guess to the truth when the macro has passed it on. So a guess may be wrong, but not unseen.

use std::fs;

use syn::{Item, LitStr, Type};

use crate::files::data_type::DataType;
use crate::schema::source_path;
use crate::types;

/// Longer source files are not searched.
const BYTES: u64 = 4 << 20;
/// The most type aliases that are followed for one name.
const STEPS: usize = 16;

/// The items of the source file.
pub struct Source(Vec<Item>);

impl Source {
    pub fn read(literal: &LitStr) -> Source {
        let file = source_path::source_file(literal.span());
        let file = file.filter(|file| fs::metadata(file).is_ok_and(|file| file.is_file() && file.len() <= BYTES));
        let text = file.and_then(|file| fs::read_to_string(file).ok());
        let items = text.and_then(|text| syn::parse_file(&text).ok());
        Source(items.map_or(Vec::new(), |file| file.items))
    }

    #[cfg(test)]
    pub fn of(items: Vec<Item>) -> Source {
        Source(items)
    }

    /// Returns the type without its `Option`, and whether it is an `Option`.
    pub fn guess(&self, ty: &Type) -> Option<(DataType, bool)> {
        match self.whole(ty, 0)? {
            DataType::Optional(item) => Some((*item, true)),
            data_type => Some((data_type, false)),
        }
    }

    fn whole(&self, ty: &Type, step: usize) -> Option<DataType> {
        if step > STEPS {
            return None;
        }
        let inner = |ty: &Type| self.whole(ty, step + 1);
        match types::peel(ty) {
            Type::Array(array) => {
                Some(DataType::Array(Box::new(inner(&array.elem)?), crate::schema::sample::length(&array.len)?))
            }
            Type::Tuple(tuple) => Some(DataType::Tuple(tuple.elems.iter().map(inner).collect::<Option<_>>()?)),
            ty => {
                let segment = types::last_segment(ty)?;
                let name = segment.ident.to_string();
                let arguments = types::type_arguments(segment);
                match (name.as_str(), arguments.as_slice()) {
                    ("Option", [item]) => match inner(item)? {
                        DataType::Optional(_) => None,
                        item => Some(DataType::Optional(Box::new(item))),
                    },
                    ("Vec", [item]) => inner(item).map(DataType::list),
                    ("Box" | "Arc", [text]) if types::is_written(text, &["str"]) => DataType::plain("String"),
                    ("Cow", _) => DataType::plain("String"),
                    ("Box" | "NonZero", [item]) => inner(item),
                    ("BTreeSet" | "HashSet", [item]) => inner(item).map(DataType::list),
                    ("BTreeMap" | "HashMap", [name, item]) if types::is_string(name) => {
                        inner(item).map(|item| DataType::Map(Box::new(item)))
                    }
                    ("DateTime", [zone]) => {
                        let is_utc = types::last_segment(zone).is_some_and(|zone| zone.ident == "Utc");
                        Some(DataType::Plain(if is_utc { "Timestamp" } else { "OffsetDateTime" }))
                    }
                    (name, []) => self.own(name, step).or_else(|| by_name(name)),
                    _ => None,
                }
            }
        }
    }

    /// Returns a type of the source file itself, if just one has that name.
    fn own(&self, name: &str, step: usize) -> Option<DataType> {
        let mut found = Vec::new();
        named(&self.0, name, &mut found);
        match found.as_slice() {
            [Item::Type(alias)] => self.whole(&alias.ty, step + 1),
            [Item::Struct(newtype)] if newtype.fields.len() == 1 => {
                newtype.fields.iter().next().and_then(|field| self.whole(&field.ty, step + 1))
            }
            [Item::Enum(_)] => Some(DataType::Plain("String")),
            _ => None,
        }
    }
}

/// The types of that name, in modules too.
fn named<'a>(items: &'a [Item], name: &str, found: &mut Vec<&'a Item>) {
    for item in items {
        match item {
            Item::Type(it) if it.ident == name => found.push(item),
            Item::Struct(it) if it.ident == name => found.push(item),
            Item::Enum(it) if it.ident == name => found.push(item),
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    named(items, name, found);
                }
            }
            _ => {}
        }
    }
}

/// Returns the types of the standard library and of well-known crates.
fn by_name(name: &str) -> Option<DataType> {
    match name {
        "NaiveDate" => DataType::plain("Date"),
        "NaiveTime" => DataType::plain("Time"),
        "NaiveDateTime" => DataType::plain("DateTime"),
        "TimeDelta" => DataType::plain("SignedDuration"),
        "Bytes" => Some(DataType::Bytes),
        "SystemTime" => DataType::plain("Timestamp"),
        "PathBuf" | "IpAddr" | "Ipv4Addr" | "Ipv6Addr" | "SocketAddr" | "SocketAddrV4" | "SocketAddrV6" => {
            DataType::plain("String")
        }
        name => DataType::plain(name),
    }
}
