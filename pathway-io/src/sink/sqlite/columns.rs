//! The columns of a table as SQLite describes them, and the comparison of an existing table with them.

use rusqlite::{Connection, OptionalExtension};

use crate::rows::data_type::DataType;
use crate::sink::database::Expected;

/// The affinity that SQLite derives from a column's declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Real,
    Text,
    /// Values are stored unchanged.
    None,
    /// The same, for a column that contains only blobs.
    Bytes,
    Numeric,
}

impl Affinity {
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Bool
            | DataType::I8
            | DataType::I16
            | DataType::I32
            | DataType::I64
            | DataType::U8
            | DataType::U16
            | DataType::U32 => Affinity::Integer,
            DataType::F32 | DataType::F64 => Affinity::Real,
            // Integers, and a text for an integer that does not fit. Another affinity would convert the text to a
            // float.
            DataType::U64 | DataType::I128 | DataType::U128 | DataType::Duration | DataType::SignedDuration => {
                Affinity::None
            }
            DataType::Bytes => Affinity::Bytes,
            DataType::Optional(item) => Affinity::of(item),
            _ => Affinity::Text,
        }
    }

    /// Applies the rules of SQLite's manual, "Determination Of Column Affinity".
    fn of_declared(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |part: &str| declared.contains(part);
        if has("INT") {
            Affinity::Integer
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Affinity::Text
        } else if has("BLOB") || declared.is_empty() {
            Affinity::None
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Affinity::Real
        } else {
            Affinity::Numeric
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Affinity::Integer => "INTEGER",
            Affinity::Real => "REAL",
            Affinity::Text => "TEXT",
            Affinity::None | Affinity::Bytes => "BLOB",
            Affinity::Numeric => "NUMERIC",
        }
    }

    /// Returns the declared type for a `STRICT` table, which refuses values of other types.
    fn strict_name(self) -> &'static str {
        if self == Affinity::None { "ANY" } else { self.name() }
    }
}

/// A column of an existing table.
struct Actual {
    name: String,
    /// The declared type, or the name of its affinity if the table is not `STRICT`.
    data_type: String,
    not_null: bool,
    /// The column's position in the primary key, from 1.
    key: u32,
    is_generated: bool,
}

fn columns_of(connection: &Connection, table: &str, is_strict: bool) -> rusqlite::Result<Vec<Actual>> {
    let mut query = connection.prepare(
        "SELECT name, type, \"notnull\", pk, hidden > 1 FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid",
    )?;
    let found = query.query_map([table], |row| {
        let declared: String = row.get(1)?;
        let data_type = match &*declared.to_ascii_uppercase() {
            "INT" if is_strict => "INTEGER".to_owned(),
            strict if is_strict => strict.to_owned(),
            _ => Affinity::of_declared(&declared).name().to_owned(),
        };
        let (name, not_null, key, is_generated) = (row.get(0)?, row.get(2)?, row.get(3)?, row.get(4)?);
        Ok(Actual { name, data_type, not_null, key, is_generated })
    })?;
    found.collect()
}

/// Returns the collation of a key column, or of the column in the index of the key, if it is not `BINARY`. Another
/// collation could make two keys equal.
fn collation(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<Option<String>> {
    let (_, declared, ..) = connection.column_metadata(Some("main"), table, column)?;
    let mut query = connection.prepare(
        "SELECT coll FROM pragma_index_list(?1) AS list, pragma_index_xinfo(list.name) AS part \
         WHERE origin = 'pk' AND key AND part.name = ?2",
    )?;
    let in_index = query.query_row([table, column], |row| row.get(0)).optional()?;
    let collations = [declared.map(|declared| declared.to_string_lossy().into_owned()), in_index];
    Ok(collations.into_iter().flatten().find(|collation| !collation.eq_ignore_ascii_case("BINARY")))
}

/// Returns a description of the first difference between the table in the database and the schema.
pub(super) fn difference(
    connection: &Connection,
    table: &str,
    columns: &[Expected<Affinity>],
) -> rusqlite::Result<Option<String>> {
    let query = "SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE";
    let is_strict = connection.query_row(query, [table], |row| row.get(0))?;
    let found = columns_of(connection, table, is_strict)?;
    let mut keys = 0;
    for (wanted, found) in columns.iter().zip(&found) {
        let (name, data_type) = (wanted.name, &found.data_type);
        if wanted.name != found.name {
            return Ok(Some(format!("it has a column `{}` where `{name}` should be", found.name)));
        }
        if found.is_generated {
            return Ok(Some(format!("its column `{name}` is generated")));
        }
        let should_be = if is_strict { wanted.kind.strict_name() } else { wanted.kind.name() };
        if data_type != should_be && !(is_strict && data_type == "ANY") {
            return Ok(Some(format!("its column `{name}` is {data_type} and should be {should_be}")));
        }
        keys += u32::from(wanted.primary_key);
        if found.key != if wanted.primary_key { keys } else { 0 } {
            return Ok(Some(format!("its column `{name}` has another part in the primary key")));
        }
        if wanted.primary_key
            && let Some(collation) = collation(connection, table, name)?
        {
            return Ok(Some(format!("its column `{name}` has the collation {collation}, and a key needs BINARY")));
        }
        // A key is never null here, but SQLite reports it as nullable or not.
        if found.not_null && wanted.optional {
            return Ok(Some(format!("its column `{name}` takes no NULL")));
        }
    }
    Ok(match (columns.get(found.len()), found.get(columns.len())) {
        (Some(column), _) => Some(format!("it lacks a column `{}`", column.name)),
        (_, Some(column)) => Some(format!("it has an additional column `{}`", column.name)),
        (None, None) => None,
    })
}
