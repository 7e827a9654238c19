//! The columns of a table as SQLite describes them, and the comparison of an existing table with them.

use rusqlite::Connection;

use crate::rows::data_type::DataType;
use crate::rows::description::Column;

/// A column as SQLite describes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) name: String,
    pub(super) affinity: Affinity,
    pub(super) not_null: bool,
    /// The column's position in the primary key, from 1.
    pub(super) key: u32,
}

impl Described {
    pub(super) fn new(column: &Column) -> Self {
        Described {
            name: column.name.to_owned(),
            affinity: Affinity::of(&column.data_type),
            not_null: !column.optional,
            key: 0,
        }
    }
}

/// The affinity that SQLite derives from a column's declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Real,
    Text,
    /// Values are stored unchanged.
    None,
    Numeric,
}

impl Affinity {
    fn of(data_type: &DataType) -> Self {
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
            DataType::U64
            | DataType::I128
            | DataType::U128
            | DataType::Duration
            | DataType::SignedDuration
            | DataType::Bytes => Affinity::None,
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
            Affinity::None => "BLOB",
            Affinity::Numeric => "NUMERIC",
        }
    }
}

/// Returns a description of the first difference between the table in the database and the schema.
pub(super) fn difference(
    connection: &Connection,
    table: &str,
    columns: &[Described],
) -> rusqlite::Result<Option<String>> {
    let mut query = connection
        .prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid")?;
    let found: Vec<Described> = query
        .query_map([table], |row| {
            let (declared, key): (String, u32) = (row.get(1)?, row.get(3)?);
            let affinity = Affinity::of_declared(&declared);
            Ok(Described { name: row.get(0)?, affinity, not_null: row.get(2)?, key })
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (wanted, found) in columns.iter().zip(&found) {
        let name = &wanted.name;
        if wanted.name != found.name {
            return Ok(Some(format!("it has a column `{}` where `{name}` should be", found.name)));
        }
        if wanted.affinity != found.affinity {
            let (found, wanted) = (found.affinity.name(), wanted.affinity.name());
            return Ok(Some(format!("its column `{name}` is {found} and should be {wanted}")));
        }
        if wanted.key != found.key {
            return Ok(Some(format!("its column `{name}` has another part in the primary key")));
        }
        // A key is never null here, but SQLite reports it as nullable or not.
        if found.not_null && !wanted.not_null {
            return Ok(Some(format!("its column `{name}` takes no NULL")));
        }
    }
    let more = |columns: &[Described], than: usize| columns.get(than).map(|column| column.name.clone());
    Ok(match (more(columns, found.len()), more(&found, columns.len())) {
        (Some(name), _) => Some(format!("it lacks a column `{name}`")),
        (_, Some(name)) => Some(format!("it has one column more, `{name}`")),
        (None, None) => None,
    })
}
