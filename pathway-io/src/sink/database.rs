//! The parts that the sinks for databases share.

/// The table with the time of each table's last commit. Every table that it names was made by a pipeline.
pub(super) const TABLES: &str = "pathway_io_tables";

/// The treatment of rows from an earlier run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Empty,
    Continue,
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
    format!("there is a table `{table}` with rows that no pipeline has written; empty it, {elsewhere}")
}
