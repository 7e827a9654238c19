//! SQL: the statements that create a table for the rows.
//!
//! If the database's type is wider than the column's, a `CHECK` refuses other values. The database reads our CSV
//! unchanged, with three exceptions, which [`TableSchema::sql_ddl`] documents.

use std::fmt::{Display, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::rows::data_type::DataType;
use crate::rows::description::{Column, RESERVED, TableSchema};

/// The SQL of one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// PostgreSQL, 12 or later.
    Postgres,
    /// SQLite, any version of 3.
    Sqlite,
}

impl TableSchema {
    /// Returns the statements that create a table for the *current* rows: the schema's columns with `NOT NULL`,
    /// defaults and checks, the primary key, and the descriptions as comments.
    ///
    /// Names are quoted, so any name is allowed; PostgreSQL truncates names to 63 bytes. Lists, arrays, tuples and
    /// `Value` are JSON (`jsonb`), and durations are whole nanoseconds (`numeric`). An instant is a `timestamptz`,
    /// which has microseconds and no offset. SQLite has no types for dates, decimals and UUIDs, which are stored as
    /// text. Its integers are signed and have 64 bits, so the upper half of `u64` is refused. Defaults are evaluated by
    /// this call.
    ///
    /// The database loads the files of [`csv`](crate::csv) unchanged, with three exceptions: bytes are base64 there,
    /// SQLite's `.import` reads nulls as empty strings, and PostgreSQL reads no year before 1 or after 9999 in this
    /// form.
    ///
    /// ```
    /// use pathway_io::Schema;
    /// use pathway_io::schema::Dialect;
    ///
    /// #[derive(Schema)]
    /// struct Cat {
    ///     #[schema(primary_key)]
    ///     key: i64,
    ///     weight: Option<f64>,
    /// }
    ///
    /// assert_eq!(
    ///     Cat::schema().sql_ddl(Dialect::Postgres, "cats"),
    ///     r#"CREATE TABLE "cats" (
    ///     "key" bigint NOT NULL,
    ///     "weight" double precision,
    ///     PRIMARY KEY ("key")
    /// );
    /// "#
    /// );
    /// ```
    ///
    /// PostgreSQL allows no NUL in text: a default that contains one is omitted, and a comment in the SQL says so. In
    /// SQLite it is a `CAST`. A NUL in a name or a description is removed.
    ///
    /// SQLite refuses the statement if two columns differ only in the case of ASCII letters. A comment in the SQL names
    /// both.
    #[must_use]
    pub fn sql_ddl(&self, dialect: Dialect, table: &str) -> String {
        create(self, dialect, table, false)
    }

    /// Returns the statements for a table of the *updates*, in the form that [`csv`](crate::csv) writes: with the
    /// columns `time` and `diff` at the end, and without a primary key, since a key has several updates.
    #[must_use]
    pub fn sql_ddl_of_updates(&self, dialect: Dialect, table: &str) -> String {
        create(self, dialect, table, true)
    }
}

fn create(schema: &TableSchema, dialect: Dialect, table: &str, updates: bool) -> String {
    let mut sql = String::new();
    let name = quoted(table);
    comment(&mut sql, dialect, "", schema.description);
    let _ = writeln!(sql, "CREATE TABLE {name} (");
    let columns = schema.columns.iter().enumerate();
    let clash = |end: usize, name: &str| clash(&schema.columns[..end], name, dialect);
    let mut lines: Vec<String> =
        columns.map(|(index, column)| clash(index, column.name) + &definition(column, dialect)).collect();
    if updates {
        let integer = if dialect == Dialect::Postgres { "bigint" } else { "INTEGER" };
        for name in RESERVED {
            lines.push(format!("{}    \"{name}\" {integer} NOT NULL", clash(schema.columns.len(), name)));
        }
    } else if schema.has_key() {
        let key: Vec<String> = schema.primary_key().map(|column| quoted(column.name)).collect();
        lines.push(format!("    PRIMARY KEY ({})", key.join(", ")));
    }
    sql.push_str(&lines.join(",\n"));
    sql.push_str("\n);\n");
    if dialect == Dialect::Postgres {
        if !schema.description.is_empty() {
            let _ = writeln!(sql, "COMMENT ON TABLE {name} IS {};", text(schema.description));
        }
        for column in schema.columns.iter().filter(|column| !column.description.is_empty()) {
            let (column_name, description) = (quoted(column.name), text(column.description));
            let _ = writeln!(sql, "COMMENT ON COLUMN {name}.{column_name} IS {description};");
        }
    }
    sql
}

/// Returns a comment for a column whose name SQLite cannot distinguish from one of `before`, because it ignores the
/// case of ASCII letters.
fn clash(before: &[Column], name: &str, dialect: Dialect) -> String {
    match before.iter().find(|column| dialect == Dialect::Sqlite && column.name.eq_ignore_ascii_case(name)) {
        Some(other) => {
            format!("    -- SQLite refuses `{name}` beside `{}`: the names differ in case only\n", other.name)
        }
        None => String::new(),
    }
}

/// SQLite has no comments on columns, but keeps the text of a `CREATE TABLE` with its comments.
fn comment(sql: &mut String, dialect: Dialect, indent: &str, description: &str) {
    if dialect == Dialect::Sqlite {
        for line in description.lines() {
            let line = line.replace(['\0', '\r'], " ");
            let _ = writeln!(sql, "{indent}-- {}", line.trim_end());
        }
    }
}

fn definition(column: &Column, dialect: Dialect) -> String {
    let mut sql = String::new();
    comment(&mut sql, dialect, "    ", column.description);
    let default = column.default_value();
    let is_left_out = dialect == Dialect::Postgres && default.as_ref().is_some_and(has_nul);
    if is_left_out {
        sql.push_str("    -- without its default: PostgreSQL has no NUL in a text\n");
    }
    let name = quoted(column.name);
    let (ty, check) = match dialect {
        Dialect::Postgres => postgres(&column.data_type, &name),
        Dialect::Sqlite => sqlite(&column.data_type, &name),
    };
    let _ = write!(sql, "    {name} {ty}");
    // In a JSON column, null is a JSON value and not a null of SQL.
    if !column.optional && !matches!(column.data_type, DataType::Json) {
        sql.push_str(" NOT NULL");
    }
    if let Some(default) = default.filter(|_| !is_left_out) {
        // The null of an `Option` is a null of SQL in a JSON column, too.
        let literal = match default {
            Value::Null if column.optional => "NULL".to_owned(),
            default => literal(&default, &column.data_type, dialect),
        };
        let _ = write!(sql, " DEFAULT {literal}");
    }
    if let Some(check) = check {
        let _ = write!(sql, " CHECK ({check})");
    }
    sql
}

/// Returns the type, and a condition that excludes other values.
fn postgres(data_type: &DataType, name: &str) -> (&'static str, Option<String>) {
    let between = |least: &dyn Display, most: &dyn Display| Some(format!("{name} BETWEEN {least} AND {most}"));
    match data_type {
        DataType::Bool => ("boolean", None),
        DataType::I8 => ("smallint", between(&i8::MIN, &i8::MAX)),
        DataType::I16 => ("smallint", None),
        DataType::I32 => ("integer", None),
        DataType::I64 => ("bigint", None),
        DataType::U8 => ("smallint", between(&0, &u8::MAX)),
        DataType::U16 => ("integer", between(&0, &u16::MAX)),
        DataType::U32 => ("bigint", between(&0, &u32::MAX)),
        DataType::U64 => ("numeric(20)", between(&0, &u64::MAX)),
        DataType::I128 => ("numeric(39)", between(&i128::MIN, &i128::MAX)),
        DataType::U128 => ("numeric(39)", between(&0, &u128::MAX)),
        DataType::F32 => ("real", None),
        DataType::F64 => ("double precision", None),
        DataType::Str => ("text", None),
        DataType::Bytes => ("bytea", None),
        DataType::Duration => ("numeric(29)", Some(format!("{name} >= 0"))),
        DataType::SignedDuration => ("numeric(29)", None),
        DataType::Date => ("date", None),
        DataType::Time => ("time", None),
        DataType::DateTime => ("timestamp", None),
        DataType::Timestamp | DataType::OffsetDateTime => ("timestamptz", None),
        DataType::Uuid => ("uuid", None),
        DataType::Decimal => ("numeric", None),
        DataType::Optional(item) => postgres(item, name),
        DataType::Json | DataType::Map(_) | DataType::List(_) | DataType::Array(..) | DataType::Tuple(_) => {
            ("jsonb", None)
        }
    }
}

fn sqlite(data_type: &DataType, name: &str) -> (&'static str, Option<String>) {
    // SQLite also accepts a fraction, and converts an integer beyond 64 bits to a float, which loses digits.
    let is_integer = format!("typeof({name}) IN ('integer', 'null')");
    let between =
        |least: i64, most: i64| ("INTEGER", Some(format!("{is_integer} AND {name} BETWEEN {least} AND {most}")));
    match data_type {
        // Drivers write 0 and 1. A CSV file contains the words.
        DataType::Bool => ("BOOLEAN", Some(format!("{name} IN (0, 1, 'false', 'true')"))),
        DataType::I8 => between(i8::MIN.into(), i8::MAX.into()),
        DataType::I16 => between(i16::MIN.into(), i16::MAX.into()),
        DataType::I32 => between(i32::MIN.into(), i32::MAX.into()),
        DataType::U8 => between(0, u8::MAX.into()),
        DataType::U16 => between(0, u16::MAX.into()),
        DataType::U32 => between(0, u32::MAX.into()),
        DataType::U64 | DataType::Duration => between(0, i64::MAX),
        DataType::I64 | DataType::SignedDuration => ("INTEGER", Some(is_integer)),
        DataType::F32 | DataType::F64 => ("REAL", None),
        DataType::Bytes => ("BLOB", None),
        DataType::Optional(item) => sqlite(item, name),
        DataType::Json | DataType::Map(_) | DataType::List(_) | DataType::Array(..) | DataType::Tuple(_) => {
            ("TEXT", Some(format!("{name} IS NULL OR json_valid({name})")))
        }
        _ => ("TEXT", None),
    }
}

/// Returns whether a string in a default contains a NUL, which neither `text` nor `jsonb` of PostgreSQL holds.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, field)| name.contains('\0') || has_nul(field)),
        _ => false,
    }
}

/// Returns a default as SQL, from its JSON form.
fn literal(value: &Value, data_type: &DataType, dialect: Dialect) -> String {
    match (value, data_type) {
        (Value::Null, DataType::Json) => "'null'".to_owned(),
        (Value::Null, _) => "NULL".to_owned(),
        (_, DataType::Json | DataType::Map(_) | DataType::List(_) | DataType::Array(..) | DataType::Tuple(_)) => {
            text(&value.to_string())
        }
        (Value::Bool(value), _) if dialect == Dialect::Postgres => value.to_string(),
        (Value::Bool(value), _) => u8::from(*value).to_string(),
        (Value::Number(number), _) => number.to_string(),
        (Value::String(base64), DataType::Bytes) => {
            let bytes = STANDARD.decode(base64).unwrap_or_default();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            if dialect == Dialect::Postgres { format!("'\\x{hex}'::bytea") } else { format!("X'{hex}'") }
        }
        (Value::String(value), _) if value.contains('\0') => {
            // A literal would end at the NUL.
            let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("(CAST(X'{hex}' AS TEXT))")
        }
        (Value::String(value), _) => text(value),
        (other, _) => text(&other.to_string()),
    }
}

/// Returns a name in double quotes, without NUL characters, which no database allows.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\0', "").replace('"', "\"\""))
}

/// Returns a string in single quotes. PostgreSQL does not interpret backslashes in it.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\0', "").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(pathway_derive::Schema)]
    #[schema(crate = crate)]
    struct Notes {
        #[schema(default)]
        json: Value,
        #[schema(default)]
        maybe: Option<Value>,
        #[schema(default)]
        text: Option<String>,
    }

    /// A sink writes `None` as NULL, and a null in a `Value` as JSON.
    #[test]
    fn the_default_of_an_optional_json_column_is_null() {
        let ddl = <Notes as crate::Schema>::SCHEMA.sql_ddl(Dialect::Postgres, "notes");
        let defaults: Vec<&str> =
            ddl.lines().filter_map(|line| line.split_once(" DEFAULT ")).map(|line| line.1).collect();
        assert_eq!(defaults, ["'null',", "NULL,", "NULL"], "{ddl}");
    }
}
