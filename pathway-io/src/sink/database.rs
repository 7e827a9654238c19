//! The parts that the sinks for databases share.

use crate::rows::data_type::DataType;
use crate::rows::description::{Column, TableSchema};

/// The table with the time of each table's last commit. Every table that it names was made by a pipeline.
pub(super) const TABLES: &str = "pathway_io_tables";

/// The treatment of rows from an earlier run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierRows {
    Empty,
    Continue,
}

/// A column of the table. `K` is its kind in the database.
pub(super) struct Expected<K> {
    pub(super) name: &'static str,
    pub(super) kind: K,
    pub(super) optional: bool,
    /// Whether it belongs to the primary key of the table.
    pub(super) primary_key: bool,
}

/// Returns the columns of the table, which has the updates or the current rows.
pub(super) fn expected<K>(schema: &TableSchema, updates: bool, kind: impl Fn(&DataType) -> K) -> Vec<Expected<K>> {
    let of_schema = schema.columns.iter().map(|&Column { name, ref data_type, optional, primary_key, .. }| Expected {
        name,
        kind: kind(data_type),
        optional,
        primary_key: !updates && primary_key,
    });
    let added = if updates { &["time", "diff"][..] } else { &[] };
    let added =
        added.iter().map(|name| Expected { name, kind: kind(&DataType::I64), optional: false, primary_key: false });
    of_schema.chain(added).collect()
}

/// Returns the quoted names of the columns: of all, of the primary key, or of the others.
pub(super) fn names<K>(columns: &[Expected<K>], key: Option<bool>) -> Vec<String> {
    let chosen = columns.iter().filter(|column| key.is_none_or(|key| key == column.primary_key));
    chosen.map(|column| quoted(column.name)).collect()
}

/// Returns a name in the quotes of SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns the clause by which an inserted row replaces the row of its key.
pub(super) fn on_conflict(keys: &[String], values: &[String]) -> String {
    let set: Vec<String> = values.iter().map(|value| format!("{value} = excluded.{value}")).collect();
    let action = if set.is_empty() { "NOTHING".into() } else { format!("UPDATE SET {}", set.join(", ")) };
    format!("ON CONFLICT ({}) DO {action}", keys.join(", "))
}

/// Returns the error for a table that is not empty and was not made by a pipeline.
pub(super) fn foreign_rows(table: &str, elsewhere: &str) -> String {
    format!("there is a table `{table}` with rows that no pipeline has written\nhelp: empty it, {elsewhere}")
}
