//! The JSON in the frames of a log: the header and the [`Checkpoint`].

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use crate::pipeline::any_table::AnyTable;
use crate::rows::description::Column;
use crate::sink::resume::{shown_path, sink_id};
use crate::sink::spec::Target;

/// The version of the format. It changes when an older version would misread the output of a newer one.
pub(crate) const FORMAT: u64 = 1;

/// A table of the pipeline in the program, with its outputs.
pub(crate) struct TableShape {
    /// The name of the table in the state.
    pub(crate) id: String,
    /// The source, unless the table is computed.
    pub(crate) source: Option<Arc<str>>,
    /// The number of the table in its source, or among the computed tables of its name.
    pub(crate) number: usize,
    pub(crate) table: Arc<dyn AnyTable>,
    /// Whether all rows are kept for computations.
    pub(crate) kept: bool,
    /// The files, databases and directories, and the format of each file.
    pub(crate) outputs: Vec<(Target, Option<&'static str>)>,
    /// The number of transactional sinks.
    pub(crate) transactional: usize,
}

impl TableShape {
    /// Returns the names of the transactional sinks in a checkpoint.
    pub(crate) fn sinks(&self) -> impl Iterator<Item = String> {
        (0..self.transactional).map(|number| sink_id(&self.id, number))
    }

    /// Returns the properties of the table that must not change between runs. Defaults, descriptions and aliases may
    /// change.
    fn to_json(&self) -> Value {
        let table = self.table.schema();
        let column = |column: &Column| {
            let ty = column.data_type.to_string();
            let ty = if column.optional { format!("Option<{ty}>") } else { ty };
            json!({"name": column.name, "type": ty, "primary_key": column.primary_key})
        };
        json!({
            "id": self.id,
            "source": self.source.as_deref(),
            "number": self.number,
            "name": table.name,
            "append_only": table.append_only,
            "columns": table.columns.iter().map(column).collect::<Value>(),
            "kept": self.kept,
            "outputs": self.outputs.iter().map(|(target, format)| json!([target.key(), format])).collect::<Value>(),
        })
    }
}

/// Returns the first frame of a log: a description of the pipeline that writes it.
pub(crate) fn header(tables: &[TableShape]) -> Value {
    json!({"format": FORMAT, "tables": tables.iter().map(TableShape::to_json).collect::<Value>()})
}

/// Checks that the pipeline with the header `now` can continue a log with the header `before`.
///
/// # Errors
///
/// Returns the difference, in a sentence.
pub(crate) fn check_header(before: &Value, now: &Value) -> Result<(), String> {
    let format = before["format"].as_u64();
    if format != Some(FORMAT) {
        let format = format.map_or("an unknown version".to_owned(), |format| format!("version {format}"));
        return Err(format!("its format is {format}, and this program reads version {FORMAT}"));
    }
    let [before, now] = [before, now].map(|header| list(&header["tables"]));
    for table in before.iter().chain(now) {
        let Some(name) = table["source"].as_str() else { continue };
        let of_source = |tables: &[Value]| tables.iter().filter(|other| other["source"] == table["source"]).count();
        match (of_source(before), of_source(now)) {
            (_, 0) => return Err(format!("it has a source `{name}` that the pipeline does not read")),
            (0, _) => return Err(format!("it has no source `{name}`, which the pipeline reads")),
            (was, is) if was != is => {
                return Err(format!("the number of tables of source `{name}` was {was} and is {is} now"));
            }
            _ => {}
        }
    }
    for (before, now) in before.iter().flat_map(|before| now.iter().map(move |now| (before, now))) {
        if before["id"] == now["id"]
            && let Some(difference) = table_difference(before, now)
        {
            let table = match now["source"].as_str() {
                Some(source) => format!("table `{}` of source `{source}`", text(&now["name"])),
                None => shown_table(now),
            };
            return Err(format!("the schema of {table} has changed: {difference}"));
        }
    }
    check_outputs(before, now)
}

/// Returns the outputs of all tables in a header, each with its table: the key, and the format of a file.
fn outputs(tables: &[Value]) -> impl Iterator<Item = (&Value, &Value)> {
    tables.iter().flat_map(|table| list(&table["outputs"]).iter().map(move |output| (table, output)))
}

/// Returns the keys of all database tables and directories in a header.
pub(crate) fn databases(header: &Value) -> Vec<&str> {
    let outputs = outputs(list(&header["tables"])).filter(|(_, output)| output[1].is_null());
    outputs.map(|(_, output)| text(&output[0])).collect()
}

/// Checks that each output continues with rows of the same table, in the same format. Several sinks can write to one
/// device. A database that has moved is not refused.
fn check_outputs(before: &[Value], now: &[Value]) -> Result<(), String> {
    for (table, output) in outputs(before) {
        let mut same = outputs(now).filter(|(_, other)| other[0] == output[0]).peekable();
        let Some(&(other_table, other)) = same.peek() else { continue };
        let is_same_format = |other: &Value| other[1] == output[1] || other[1].is_null() || output[1].is_null();
        if same.any(|(other_table, other)| other_table["id"] == table["id"] && is_same_format(other)) {
            continue;
        }
        let path = shown_path(text(&output[0]));
        return Err(if other_table["id"] == table["id"] {
            let [was, is] = [output, other].map(|output| text(&output[1]));
            format!("the output `{path}` was written as {was}, and would be continued as {is}")
        } else {
            let [was, is] = [table, other_table].map(shown_table);
            format!("the output `{path}` contains the rows of {was}, and would now receive the rows of {is}")
        });
    }
    Ok(())
}

/// Returns the text for a table in an error. A computed table has no unique name, so two tables of the same row type
/// differ only by their order in the program.
fn shown_table(table: &Value) -> String {
    let (name, number) = (text(&table["name"]), table["number"].as_u64().unwrap_or_default());
    match table["source"].as_str() {
        Some(source) => format!("table {} of source `{source}`", number + 1),
        None if number == 0 => format!("the computed table `{name}`"),
        None => format!("computed table {} of `{name}`", number + 1),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn table_difference(before: &Value, now: &Value) -> Option<String> {
    let (old, new) = (list(&before["columns"]), list(&now["columns"]));
    for column in old {
        let name = text(&column["name"]);
        let Some(same) = new.iter().find(|other| other["name"] == column["name"]) else {
            return Some(format!("column `{name}` is gone"));
        };
        if same["type"] != column["type"] {
            return Some(format!(
                "column `{name}` was `{}` and is now `{}`",
                text(&column["type"]),
                text(&same["type"])
            ));
        }
        if same["primary_key"] != column["primary_key"] {
            let [was, is] = if column["primary_key"] == true { ["was", "is no longer"] } else { ["was not", "is now"] };
            return Some(format!("column `{name}` {was} part of the primary key and {is}"));
        }
    }
    if let Some(column) = new.iter().find(|column| !old.iter().any(|other| other["name"] == column["name"])) {
        return Some(format!("column `{}` is new", text(&column["name"])));
    }
    if old.iter().map(|column| &column["name"]).ne(new.iter().map(|column| &column["name"])) {
        return Some("its columns are in another order".to_owned());
    }
    if before["append_only"] != now["append_only"] {
        return Some("`append_only` has changed".to_owned());
    }
    match (before["kept"] == true, now["kept"] == true) {
        (false, true) => Some("a computation reads it now, and its earlier rows were not kept".to_owned()),
        (true, false) => Some("no computation reads it any more, so its new rows would not be kept".to_owned()),
        _ => None,
    }
}

/// The length of a file that contains everything up to a checkpoint.
#[derive(Debug, Clone)]
pub(crate) struct FileLen {
    /// The path as the program specifies it, by [`path_key`](crate::sink::resume::path_key).
    pub(crate) path: String,
    pub(crate) len: u64,
    /// The check value of the file's last kilobytes.
    pub(crate) check: Option<u32>,
    /// Whether the file contains the bad rows of a source.
    pub(crate) is_quarantine: bool,
}

impl FileLen {
    fn to_json(&self) -> Value {
        json!({"path": self.path, "len": self.len, "check": self.check, "quarantine": self.is_quarantine})
    }

    fn of_json(file: &Value) -> Option<Self> {
        Some(FileLen {
            path: file["path"].as_str()?.to_owned(),
            len: file["len"].as_u64()?,
            check: Option::deserialize(&file["check"]).ok()?,
            is_quarantine: file["quarantine"].as_bool()?,
        })
    }
}

/// Everything except the rows that becomes durable together.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) time: u64,
    /// The offset of each source that has one, by name.
    pub(crate) offsets: HashMap<String, Vec<u8>>,
    pub(crate) files: Vec<FileLen>,
    /// The time up to which each transactional sink has every commit, by its id.
    pub(crate) sinks: HashMap<String, u64>,
    /// The position in the log at which the previous checkpoint ends, or 0 for the first one.
    pub(crate) after: u64,
    /// Whether the run ended in order after this checkpoint.
    pub(crate) is_end: bool,
}

impl Checkpoint {
    pub(crate) fn to_json(&self) -> Value {
        let offsets: Map<String, Value> =
            self.offsets.iter().map(|(name, offset)| (name.clone(), BASE64_STANDARD.encode(offset).into())).collect();
        let files: Value = self.files.iter().map(FileLen::to_json).collect();
        let Checkpoint { time, sinks, after, is_end, .. } = self;
        json!({"time": time, "offsets": offsets, "files": files, "sinks": sinks, "after": after, "end": is_end})
    }

    /// Returns `None` if the value is not a checkpoint. Its checksum was right, so a different version must have
    /// written it.
    pub(crate) fn of_json(value: &Value) -> Option<Self> {
        let offsets = value["offsets"].as_object()?.iter();
        let offsets =
            offsets.map(|(name, offset)| Some((name.clone(), BASE64_STANDARD.decode(offset.as_str()?).ok()?)));
        Some(Checkpoint {
            time: value["time"].as_u64()?,
            offsets: offsets.collect::<Option<_>>()?,
            files: value["files"].as_array()?.iter().map(FileLen::of_json).collect::<Option<_>>()?,
            sinks: HashMap::deserialize(&value["sinks"]).ok()?,
            after: value["after"].as_u64()?,
            is_end: value["end"].as_bool()?,
        })
    }
}
