//! Reads SQLite databases in tests.

use std::path::Path;

use rusqlite::Connection;
pub use rusqlite::types::Value as Sql;

pub fn rows(path: &Path, query: &str) -> Vec<Vec<Sql>> {
    let database = Connection::open(path).unwrap();
    let mut query = database.prepare(query).unwrap();
    let width = query.column_count();
    let rows = query.query_map([], |row| (0..width).map(|column| row.get(column)).collect()).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

pub fn int(value: i64) -> Sql {
    Sql::Integer(value)
}

pub fn text(value: &str) -> Sql {
    Sql::Text(value.into())
}
