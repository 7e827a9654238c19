//! JSON Schema, draft 2020-12, for validators, editors and documentation tools.

use serde_json::{Map, Value, json};

use crate::rows::data_type::DataType;
use crate::rows::description::{Column, RESERVED, TableSchema};

impl TableSchema {
    /// Returns the schema of a row in JSON, as [JSON Schema](https://json-schema.org/draft/2020-12) of the draft
    /// 2020-12: it accepts the rows that `next_json` accepts and that [`jsonlines`](crate::jsonlines) writes.
    ///
    /// Columns with a default or of an `Option` are not required; a column with aliases is required by one of its
    /// names. `time` and `diff`, which every output adds and `next_json` ignores, can have any value, even where
    /// unknown fields are denied. The columns of the primary key, for which JSON Schema has no keyword, are listed as
    /// `x-primary-key`. Defaults are evaluated by this call. The properties keep the order of the columns if
    /// serde_json's feature `preserve_order` is on. Otherwise they are sorted by name.
    ///
    /// Dates, instants and UUIDs have a `format`, which a validator checks only if it is told to. It then refuses other
    /// forms that `next_json` reads, such as a space for the `T` or a year after 9999.
    ///
    /// A column with a path is not required, and the field in which its path begins may have any value: the schema does
    /// not look inside it.
    ///
    /// JSON Schema cannot express some rules: `next_json` refuses a column that is given twice, and follows the rules
    /// for JSON in a column ([`ColumnType`](crate::ColumnType)). `1.0`, `1e0` and `-0` are integers for both, below 2
    /// to the power of 53. From there on, `next_json` takes an integer only without a fraction and an exponent.
    ///
    /// ```
    /// use pathway_io::Schema;
    ///
    /// #[derive(Schema)]
    /// struct Cat {
    ///     #[schema(primary_key)]
    ///     key: i64,
    ///     /// In kilograms.
    ///     weight: Option<f64>,
    /// }
    ///
    /// let schema = Cat::schema().json_schema();
    /// assert_eq!(schema["properties"]["weight"]["description"], "In kilograms.");
    /// assert_eq!(schema["required"], serde_json::json!(["key"]));
    /// ```
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut one_of_its_names = Vec::new();
        for column in self.columns {
            let by_name = if column.is_read_by_name() { property(column) } else { json!({}) };
            properties.insert(column.name.to_owned(), by_name);
            if let Some(root) = column.root() {
                properties.entry(root.to_owned()).or_insert(json!({}));
            }
            let is_required = !column.has_default && !column.optional && column.path.is_empty();
            for alias in column.aliases {
                let place = column.name.replace('~', "~0").replace('/', "~1");
                let reference = json!({ "$ref": format!("#/properties/{}", percent(&place)) });
                // If the row also has the column itself, this field is the one that every output adds.
                let is_reserved = RESERVED.contains(alias);
                let value =
                    if is_reserved { json!({ "anyOf": [reference, { "type": "integer" }] }) } else { reference };
                properties.entry((*alias).to_owned()).or_insert(value);
            }
            if is_required && column.aliases.is_empty() {
                required.push(column.name);
            } else if is_required {
                let names = std::iter::once(column.name).chain(column.aliases.iter().copied());
                one_of_its_names
                    .push(json!({ "anyOf": names.map(|name| json!({ "required": [name] })).collect::<Vec<_>>() }));
            }
        }
        // An alias may have the name `time` or `diff`.
        let added = ["the time of the commit, in ms since 1970", "the number of rows added, or, if negative, removed"];
        for (name, description) in RESERVED.into_iter().zip(added) {
            properties.entry(name).or_insert(json!({ "description": description }));
        }

        let mut schema = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "title": self.name });
        if !self.description.is_empty() {
            schema["description"] = self.description.into();
        }
        schema["type"] = "object".into();
        schema["properties"] = properties.into();
        schema["required"] = required.into();
        if !one_of_its_names.is_empty() {
            schema["allOf"] = one_of_its_names.into();
        }
        schema["additionalProperties"] = (!self.deny_unknown).into();
        if self.has_key() {
            schema["x-primary-key"] = self.primary_key().map(|column| column.name).collect();
        }
        schema
    }
}

fn property(column: &Column) -> Value {
    let mut property = value(&column.data_type);
    if column.optional {
        property = nullable(property);
    }
    if !column.description.is_empty() {
        property["description"] = column.description.into();
    }
    if let Some(default) = column.default_value() {
        property["default"] = default;
    }
    if let Some(example) = column.example_value() {
        property["examples"] = json!([example]);
    }
    property
}

fn nullable(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// A time of day.
const CLOCK: &str = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?";

fn value(data_type: &DataType) -> Value {
    match data_type {
        DataType::Bool => json!({ "type": "boolean" }),
        DataType::I8 => integer(i8::MIN, i8::MAX),
        DataType::I16 => integer(i16::MIN, i16::MAX),
        DataType::I32 => integer(i32::MIN, i32::MAX),
        DataType::I64 => integer(i64::MIN, i64::MAX),
        DataType::U8 => integer(u8::MIN, u8::MAX),
        DataType::U16 => integer(u16::MIN, u16::MAX),
        DataType::U32 => integer(u32::MIN, u32::MAX),
        DataType::U64 => integer(u64::MIN, u64::MAX),
        // A value beyond 64 bits is a string.
        DataType::I128 => {
            json!({ "anyOf": [integer(i64::MIN, u64::MAX), { "type": "string", "pattern": "^[-+]?[0-9]+$" }] })
        }
        DataType::U128 => json!({ "anyOf": [integer(0, u64::MAX), { "type": "string", "pattern": "^[+]?[0-9]+$" }] }),
        DataType::F32 | DataType::F64 => {
            json!({ "anyOf": [{ "type": "number" }, { "enum": ["NaN", "Infinity", "-Infinity", "inf", "-inf"] }] })
        }
        DataType::Str => json!({ "type": "string" }),
        DataType::Bytes => json!({
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        }),
        DataType::Json => json!({}),
        DataType::Duration => json!({ "type": "integer", "minimum": 0, "description": "nanoseconds" }),
        DataType::SignedDuration => json!({ "type": "integer", "description": "nanoseconds" }),
        DataType::Date => json!({ "type": "string", "format": "date" }),
        DataType::Time => json!({ "type": "string", "pattern": format!("^{CLOCK}$") }),
        DataType::DateTime => {
            json!({ "type": "string", "pattern": format!("^[-+]?[0-9]{{4,}}-[0-9]{{2}}-[0-9]{{2}}[Tt ]{CLOCK}$") })
        }
        DataType::Timestamp | DataType::OffsetDateTime => json!({ "type": "string", "format": "date-time" }),
        DataType::Uuid => json!({ "type": "string", "format": "uuid" }),
        DataType::Decimal => json!({ "type": ["string", "integer"], "pattern": "^[-+]?[0-9]+([.][0-9]+)?$" }),
        DataType::Map(item) => json!({ "type": "object", "additionalProperties": value(item) }),
        DataType::Optional(item) => nullable(value(item)),
        DataType::List(item) => json!({ "type": "array", "items": value(item) }),
        DataType::Array(item, len) => {
            json!({ "type": "array", "items": value(item), "minItems": len, "maxItems": len })
        }
        DataType::Tuple(items) => json!({
            "type": "array",
            "prefixItems": items.iter().map(value).collect::<Vec<_>>(),
            "items": false,
            "minItems": items.len(),
        }),
    }
}

fn integer(least: impl Into<serde_json::Number>, most: impl Into<serde_json::Number>) -> Value {
    json!({ "type": "integer", "minimum": least.into(), "maximum": most.into() })
}

/// Returns the text as a part of a URI's fragment.
fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(pathway_derive::Schema)]
    #[schema(crate = crate, deny_unknown)]
    struct Offer {
        id: i64,
        #[schema(path = "seller.name")]
        seller: String,
        #[schema(path = "price.amount")]
        amount: f64,
    }

    #[derive(pathway_derive::Schema)]
    #[schema(crate = crate)]
    struct Visit {
        #[schema(alias = "time")]
        at: String,
        #[schema(alias = "diff")]
        change: Option<String>,
    }

    /// `next_json` ignores the fields that an output has added, and reads them as the columns where these are missing.
    #[test]
    fn an_alias_of_the_name_of_an_added_field_may_have_its_value() {
        let schema = <Visit as crate::Schema>::SCHEMA.json_schema();
        for (name, column) in [("time", "at"), ("diff", "change")] {
            let wanted = json!({ "anyOf": [{ "$ref": format!("#/properties/{column}") }, { "type": "integer" }] });
            assert_eq!(schema["properties"][name], wanted);
        }
    }

    #[test]
    fn a_column_with_a_path_is_not_required_and_its_field_may_have_any_value() {
        let schema = <Offer as crate::Schema>::SCHEMA.json_schema();
        assert_eq!(schema["required"], json!(["id"]));
        let properties = &schema["properties"];
        // `next_json` reads `amount` under its own name, too, and `seller` only inside the field of that name.
        assert_eq!([&properties["seller"], &properties["price"]], [&json!({}); 2]);
        assert_eq!(properties["amount"], value(&DataType::F64));
    }
}
