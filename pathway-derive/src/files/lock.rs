//! The lock of a schema: JSON that people read too, with one column on each line.
//! The documentation of `derive(Schema)` shows one.
//!
//! Properties of a column that are false or empty are omitted. Equal schemas have equal texts.

use std::fmt::Write;

use super::data_type::DataType;
use super::json::{self, JsonField, Value};

/// The version of this form.
const VERSION: i128 = 1;

/// A schema as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    pub name: String,
    pub append_only: bool,
    pub deny_unknown: bool,
    pub entries: Vec<Entry>,
}

/// The entry of a lock for one field of the struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Column(LockedColumn),
    /// The columns of another schema, which has its own lock.
    Flatten {
        ty: String,
        field: String,
        primary_key: bool,
        /// The text before the names of the columns.
        prefix: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockedColumn {
    pub name: String,
    /// The type. It is missing if the macro did not know it when it wrote the lock.
    pub data_type: DataType,
    pub optional: bool,
    pub primary_key: bool,
    pub has_default: bool,
    pub aliases: Vec<String>,
    /// The path of the column in a row's JSON. It is empty if the column is read by its name.
    pub path: String,
    pub description: String,
}

/// An error in a lock file.
#[derive(Debug, PartialEq, Eq)]
pub struct LockFault {
    /// From 1.
    pub line: usize,
    pub reason: String,
}

impl Lock {
    pub fn column(&self, name: &str) -> Option<&LockedColumn> {
        self.columns().find(|column| column.name == name)
    }

    pub fn columns(&self) -> impl Iterator<Item = &LockedColumn> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Column(column) => Some(column),
            Entry::Flatten { .. } => None,
        })
    }

    /// Reads a lock.
    pub fn parse(text: &str) -> Result<Lock, LockFault> {
        let line = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
        let value = json::parse(text).map_err(|fault| LockFault { line: line(fault.at), reason: fault.to_string() })?;
        read(value).map_err(|(at, reason)| LockFault { line: line(at), reason })
    }

    /// Returns the text of the lock.
    pub fn print(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "{{\n  \"lock\": {VERSION},\n  \"name\": {},", quoted(&self.name));
        let _ = writeln!(text, "  \"append_only\": {},\n  \"deny_unknown\": {},", self.append_only, self.deny_unknown);
        text.push_str("  \"columns\": [");
        for (i, entry) in self.entries.iter().enumerate() {
            text.push_str(if i == 0 { "\n    { " } else { ",\n    { " });
            match entry {
                Entry::Column(column) => column.print(&mut text),
                Entry::Flatten { ty, field, primary_key, prefix } => {
                    let _ = write!(text, "\"flatten\": {}, \"field\": {}", quoted(ty), quoted(field));
                    flag(&mut text, "primary_key", *primary_key);
                    if !prefix.is_empty() {
                        let _ = write!(text, ", \"prefix\": {}", quoted(prefix));
                    }
                }
            }
            text.push_str(" }");
        }
        text.push_str("\n  ]\n}\n");
        text
    }
}

impl LockedColumn {
    fn print(&self, text: &mut String) {
        let _ = write!(text, "\"name\": {}", quoted(&self.name));
        if self.data_type != DataType::Unknown {
            let _ = write!(text, ", \"type\": {}", quoted(&self.data_type.to_string()));
        }
        flag(text, "optional", self.optional);
        flag(text, "primary_key", self.primary_key);
        flag(text, "has_default", self.has_default);
        if !self.aliases.is_empty() {
            let aliases: Vec<String> = self.aliases.iter().map(|alias| quoted(alias)).collect();
            let _ = write!(text, ", \"aliases\": [{}]", aliases.join(", "));
        }
        for (name, value) in [("path", &self.path), ("description", &self.description)] {
            if !value.is_empty() {
                let _ = write!(text, ", \"{name}\": {}", quoted(value));
            }
        }
    }
}

fn flag(text: &mut String, name: &str, value: bool) {
    if value {
        let _ = write!(text, ", \"{name}\": true");
    }
}

/// Returns a string of JSON.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A position, and the error there.
type At = (usize, String);

/// The fields of an object that were not read yet.
struct Object(Vec<JsonField>);

impl Object {
    fn of(value: Value, at: usize) -> Result<Object, At> {
        match value {
            Value::Object(fields) => Ok(Object(fields)),
            _ => Err((at, "expected an object".to_owned())),
        }
    }

    fn take(&mut self, name: &str) -> Option<JsonField> {
        let at = self.0.iter().position(|field| field.name == name)?;
        Some(self.0.remove(at))
    }

    fn optional_string(&mut self, name: &str) -> Result<Option<String>, At> {
        match self.take(name) {
            Some(JsonField { value: Value::String(text), .. }) => Ok(Some(text)),
            Some(field) => Err((field.value_at, format!("`{name}` must be a string"))),
            None => Ok(None),
        }
    }

    fn string(&mut self, name: &str, at: usize) -> Result<String, At> {
        self.optional_string(name)?.ok_or_else(|| (at, format!("`{name}` is missing")))
    }

    fn flag(&mut self, name: &str) -> Result<bool, At> {
        match self.take(name) {
            Some(JsonField { value: Value::Bool(value), .. }) => Ok(value),
            Some(field) => Err((field.value_at, format!("`{name}` must be true or false"))),
            None => Ok(false),
        }
    }

    fn list(&mut self, name: &str) -> Result<(usize, Vec<Value>), At> {
        match self.take(name) {
            Some(JsonField { value: Value::List(items), value_at, .. }) => Ok((value_at, items)),
            Some(field) => Err((field.value_at, format!("`{name}` must be a list"))),
            None => Ok((0, Vec::new())),
        }
    }

    fn end(self) -> Result<(), At> {
        match self.0.first() {
            Some(field) => Err((field.at, format!("`{}` is not expected here, or is given twice", field.name))),
            None => Ok(()),
        }
    }
}

fn read(value: Value) -> Result<Lock, At> {
    let mut object = Object::of(value, 0)?;
    match object.take("lock") {
        Some(JsonField { value: Value::Integer(VERSION), .. }) => {}
        Some(field) => return Err((field.value_at, "it is of another version of `pathway-io`".to_owned())),
        None => return Err((0, "it is not the lock of a schema: `\"lock\": 1` is missing".to_owned())),
    }
    let name = object.string("name", 0)?;
    let append_only = object.flag("append_only")?;
    let deny_unknown = object.flag("deny_unknown")?;
    let (at, items) = object.list("columns")?;
    object.end()?;
    let entries = items.into_iter().map(|item| entry(item, at)).collect::<Result<_, _>>()?;
    Ok(Lock { name, append_only, deny_unknown, entries })
}

fn entry(value: Value, list_at: usize) -> Result<Entry, At> {
    let mut object = Object::of(value, list_at)?;
    let at = object.0.first().map_or(list_at, |field| field.at);
    let primary_key = object.flag("primary_key")?;
    if object.0.iter().any(|field| field.name == "flatten") {
        let (ty, field) = (object.string("flatten", at)?, object.string("field", at)?);
        let prefix = object.optional_string("prefix")?.unwrap_or_default();
        object.end()?;
        return Ok(Entry::Flatten { ty, field, primary_key, prefix });
    }
    let name = object.string("name", at)?;
    let data_type = match object.optional_string("type")? {
        None => DataType::Unknown,
        Some(text) => DataType::parse(&text).ok_or_else(|| (at, format!("`{text}` is not a column type")))?,
    };
    let (optional, has_default) = (object.flag("optional")?, object.flag("has_default")?);
    let (aliases_at, aliases) = object.list("aliases")?;
    let aliases = aliases.into_iter().map(|alias| match alias {
        Value::String(alias) => Ok(alias),
        _ => Err((aliases_at, "`aliases` must be strings".to_owned())),
    });
    let aliases = aliases.collect::<Result<_, _>>()?;
    let path = object.optional_string("path")?.unwrap_or_default();
    let description = object.optional_string("description")?.unwrap_or_default();
    object.end()?;
    Ok(Entry::Column(LockedColumn { name, data_type, optional, primary_key, has_default, aliases, path, description }))
}
