//! Pathway's Python: a class to paste, and JSON for `schema_from_dict`, so that a program of Pathway reads our JSON
//! Lines.
//!
//! `tests/exports` checks them with Pathway 0.33. Pathway has no type for dates, times of day, UUIDs and decimals, and
//! none of its readers accepts an instant that ends in `Z`, as ours do. These are `str` there. An integer of 128 bits is
//! `Json`, because it is a number or a string in JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::rows::data_type::DataType;
use crate::rows::description::{Column, TableSchema};

/// Python's keywords, which cannot be the name of a column in a class.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// The members of `pw.Schema`: a column with such a name would hide the member.
const MEMBERS: [&str; 21] = [
    "assert_matches_schema",
    "column_names",
    "column_properties",
    "columns",
    "columns_to_json_serializable_dict",
    "default_values",
    "generate_class",
    "generate_class_to_file",
    "id",
    "id_type",
    "keys",
    "mro",
    "primary_key_columns",
    "to_json_serializable_dict",
    "typehints",
    "universe_properties",
    "update_properties",
    "with_id_type",
    "with_types",
    "without",
    "pw",
];

/// The names that occur in the annotations of a class.
const TYPES: [&str; 7] = ["bool", "bytes", "float", "int", "list", "str", "tuple"];

impl TableSchema {
    /// Returns the arguments of Pathway's `pw.schema_from_dict`, as JSON:
    ///
    /// ```python
    /// with open("cat.json") as file:
    ///     Cat = pw.schema_from_dict(**json.load(file))
    /// cats = pw.io.jsonlines.read("cats.jsonl", schema=Cat)
    /// ```
    ///
    /// A `Value` may be null, so it becomes `Json | None`. Integers of 128 bits are `Json`; dates, times of day,
    /// instants, UUIDs and decimals are `str`. Pathway refuses rows with a `u64` above `i64::MAX`, and has no form of
    /// `NaN` in JSON. Defaults without a JSON form that Pathway reads, such as bytes, are omitted;
    /// [`pathway_class`](TableSchema::pathway_class) has them.
    ///
    /// ```
    /// use pathway_io::Schema;
    ///
    /// #[derive(Schema)]
    /// struct Cat {
    ///     #[schema(primary_key)]
    ///     key: i64,
    /// }
    ///
    /// let dict = Cat::schema().pathway_dict();
    /// assert!(dict.contains(r#""key": {"dtype":{"type":"INT"},"primary_key":true}"#), "{dict}");
    /// ```
    #[must_use]
    pub fn pathway_dict(&self) -> String {
        let mut columns: Vec<(String, Value)> = Vec::new();
        for column in self.columns {
            let mut entry = entry(column);
            let mut key = column.name.to_owned();
            if MEMBERS.contains(&column.name) || column.name.starts_with("__") {
                entry["name"] = column.name.into();
                key = format!("{}_", key.trim_start_matches('_'));
                while self.column(&key).is_some() || columns.iter().any(|(taken, _)| *taken == key) {
                    key.push('_');
                }
            }
            columns.push((key, entry));
        }
        // The columns are written in their order, which a map of serde_json may not keep.
        let columns: Vec<String> =
            columns.iter().map(|(key, entry)| format!("    {}: {entry}", Value::from(key.as_str()))).collect();
        let properties = if self.append_only { "  \"properties\": {\"append_only\":true},\n" } else { "" };
        let name = Value::from(self.name);
        format!("{{\n  \"name\": {name},\n{properties}  \"columns\": {{\n{}\n  }}\n}}\n", columns.join(",\n"))
    }

    /// Returns the source of a Python class with the same columns, to be pasted into a program of Pathway. It expects
    /// `import pathway as pw`. See [`pathway_dict`](TableSchema::pathway_dict) for the types.
    ///
    /// A column whose name Python does not allow gets a different name, and `name=` with the real name.
    ///
    /// ```
    /// use pathway_io::Schema;
    ///
    /// #[derive(Schema)]
    /// struct Cat {
    ///     #[schema(primary_key)]
    ///     key: i64,
    ///     class: String,
    ///     #[schema(default)]
    ///     weight: Option<f64>,
    /// }
    ///
    /// assert_eq!(
    ///     Cat::schema().pathway_class(),
    ///     r#"class Cat(pw.Schema):
    ///     key: int = pw.column_definition(primary_key=True)
    ///     class_: str = pw.column_definition(name="class")
    ///     weight: float | None = pw.column_definition(default_value=None)
    /// "#
    /// );
    /// ```
    #[must_use]
    pub fn pathway_class(&self) -> String {
        let append_only = if self.append_only { ", append_only=True" } else { "" };
        let mut class = format!("class {}(pw.Schema{append_only}):\n", self.name);
        if !self.description.is_empty() {
            class.push_str(&format!("    {}\n\n", string(self.description)));
        }
        let mut taken: Vec<String> = self.columns.iter().map(|column| column.name.to_owned()).collect();
        for (index, column) in self.columns.iter().enumerate() {
            let attribute = attribute(column.name, index, &mut taken);
            let ty = python(&column.data_type);
            let ty = if column.optional && !ty.ends_with("| None") { format!("{ty} | None") } else { ty };
            let mut arguments = Vec::new();
            if column.primary_key {
                arguments.push("primary_key=True".to_owned());
            }
            if attribute != column.name {
                arguments.push(format!("name={}", string(column.name)));
            }
            if let Some(default) = column.default_value() {
                arguments.push(format!("default_value={}", literal(&default, &column.data_type)));
            }
            if !column.description.is_empty() {
                arguments.push(format!("description={}", string(column.description)));
            }
            if let Some(example) = column.example_value() {
                arguments.push(format!("example={}", literal(&example, &column.data_type)));
            }
            class.push_str(&match arguments.as_slice() {
                [] => format!("    {attribute}: {ty}\n"),
                arguments => format!("    {attribute}: {ty} = pw.column_definition({})\n", arguments.join(", ")),
            });
        }
        class
    }
}

fn entry(column: &Column) -> Value {
    let mut dtype = dtype(&column.data_type);
    if column.optional && dtype["type"] != "OPTIONAL" {
        dtype = json!({ "type": "OPTIONAL", "wrapped": dtype });
    }
    let mut entry = json!({ "dtype": dtype });
    if column.primary_key {
        entry["primary_key"] = true.into();
    }
    if let Some(default) = column.default_value().filter(|default| is_plain(default, &column.data_type)) {
        entry["default_value"] = default;
    }
    if !column.description.is_empty() {
        entry["description"] = column.description.into();
    }
    if let Some(example) = column.example_value().filter(|example| is_plain(example, &column.data_type)) {
        entry["example"] = example;
    }
    entry
}

/// Returns whether the JSON form of the value is the one that Pathway expects.
fn is_plain(value: &Value, data_type: &DataType) -> bool {
    value.is_null()
        || match data_type {
            DataType::F32 | DataType::F64 => value.is_number(),
            _ => matches!(python(data_type).as_str(), "bool" | "int" | "str"),
        }
}

/// Returns the type in the form of Pathway's dictionaries.
fn dtype(data_type: &DataType) -> Value {
    let plain = |name: &str| json!({ "type": name });
    match data_type {
        DataType::Optional(item) => match dtype(item) {
            optional if optional["type"] == "OPTIONAL" => optional,
            item => json!({ "type": "OPTIONAL", "wrapped": item }),
        },
        DataType::List(item) | DataType::Array(item, _) => json!({ "type": "LIST", "wrapped": dtype(item) }),
        DataType::Tuple(items) => json!({ "type": "TUPLE", "wrapped": items.iter().map(dtype).collect::<Vec<_>>() }),
        DataType::Json => json!({ "type": "OPTIONAL", "wrapped": plain("Json") }),
        other => plain(match python(other).as_str() {
            "bool" => "BOOL",
            "int" => "INT",
            "float" => "FLOAT",
            "bytes" => "BYTES",
            "pw.Json" => "Json",
            "pw.Duration" => "DURATION",
            "pw.DateTimeNaive" => "DATE_TIME_NAIVE",
            "pw.DateTimeUtc" => "DATE_TIME_UTC",
            _ => "STR",
        }),
    }
}

/// Returns the type as an annotation.
fn python(data_type: &DataType) -> String {
    let plain = match data_type {
        DataType::Bool => "bool",
        DataType::I8 | DataType::I16 | DataType::I32 | DataType::I64 => "int",
        DataType::U8 | DataType::U16 | DataType::U32 | DataType::U64 => "int",
        DataType::F32 | DataType::F64 => "float",
        DataType::Bytes => "bytes",
        DataType::Json => "pw.Json | None",
        DataType::Map(_) | DataType::I128 | DataType::U128 => "pw.Json",
        DataType::Duration | DataType::SignedDuration => "pw.Duration",
        DataType::DateTime => "pw.DateTimeNaive",
        DataType::OffsetDateTime => "pw.DateTimeUtc",
        DataType::Optional(item) => {
            let item = python(item);
            return if item.ends_with("| None") { item } else { format!("{item} | None") };
        }
        DataType::List(item) | DataType::Array(item, _) => return format!("list[{}]", python(item)),
        DataType::Tuple(items) => {
            return format!("tuple[{}]", items.iter().map(python).collect::<Vec<_>>().join(", "));
        }
        DataType::Str | DataType::Date | DataType::Time | DataType::Timestamp | DataType::Uuid | DataType::Decimal => {
            "str"
        }
    };
    plain.to_owned()
}

/// Returns a value as Python source.
fn literal(value: &Value, data_type: &DataType) -> String {
    match (value, data_type) {
        (value, DataType::Json | DataType::Map(_) | DataType::I128 | DataType::U128) if !value.is_null() => {
            format!("pw.Json({})", plain_literal(value))
        }
        (value, DataType::Optional(item)) if !value.is_null() => literal(value, item),
        (Value::String(text), DataType::F32 | DataType::F64) => format!("float({})", string(text)),
        (Value::String(text), DataType::Bytes) => {
            let bytes = STANDARD.decode(text).unwrap_or_default();
            let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("b\"{escaped}\"")
        }
        (Value::Number(nanos), DataType::Duration | DataType::SignedDuration) => {
            format!("pw.Duration({nanos}, unit=\"ns\")")
        }
        (Value::String(text), DataType::DateTime) => format!("pw.DateTimeNaive({})", string(text)),
        (Value::String(text), DataType::OffsetDateTime) => format!("pw.DateTimeUtc({})", string(text)),
        (Value::Array(values), DataType::List(item) | DataType::Array(item, _)) => {
            let items: Vec<String> = values.iter().map(|value| literal(value, item)).collect();
            tuple(&items)
        }
        (Value::Array(values), DataType::Tuple(types)) => {
            let items: Vec<String> = values.iter().zip(*types).map(|(value, item)| literal(value, item)).collect();
            tuple(&items)
        }
        (value, _) => plain_literal(value),
    }
}

/// Pathway represents lists as tuples.
fn tuple(items: &[String]) -> String {
    match items {
        [item] => format!("({item},)"),
        items => format!("({})", items.join(", ")),
    }
}

fn plain_literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(plain_literal).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}: {}", string(name), plain_literal(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// Returns a Python string literal. JSON's escapes mean the same in Python.
fn string(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    // DEL and the line separators are escaped, too, so that the literal stays on one line.
    quoted.replace('\u{7f}', "\\x7f").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Returns the name, or a different name if Python does not allow it.
fn attribute(name: &str, index: usize, taken: &mut Vec<String>) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let clashes = [&KEYWORDS[..], &MEMBERS, &TYPES].iter().any(|names| names.contains(&name));
    if is_word && starts_well && !clashes {
        return name.to_owned();
    }
    let mut attribute = if is_word && starts_well { format!("{name}_") } else { format!("column_{index}") };
    while taken.contains(&attribute) {
        attribute.push('_');
    }
    taken.push(attribute.clone());
    attribute
}
