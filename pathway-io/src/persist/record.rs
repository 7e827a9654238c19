//! The JSON in the frames of a log: the header and the [`Checkpoint`].

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::rows::description::TableSchema;
use crate::sink::resume::shown_path;

/// The version of the format. It changes when an older reader would misunderstand what a newer one has written.
pub(crate) const FORMAT: u64 = 1;

/// The sources, tables and outputs of the pipeline in the program.
pub(crate) struct Shapes {
    pub(crate) sources: Vec<SourceShape>,
    pub(crate) derived: Vec<DerivedShape>,
}

pub(crate) struct SourceShape {
    pub(crate) name: String,
    pub(crate) tables: Vec<TableShape>,
}

/// A table of a source.
pub(crate) struct TableShape {
    pub(crate) table: &'static TableSchema,
    /// Whether all rows are kept for computations.
    pub(crate) kept: bool,
    pub(crate) files: Vec<FileShape>,
    pub(crate) databases: Vec<String>,
}

/// The [`path_key`](crate::sink::resume::path_key) and the format of an output file.
pub(crate) type FileShape = (String, &'static str);

/// A computed table, with its files and its transactional sinks.
pub(crate) struct DerivedShape {
    pub(crate) table: &'static TableSchema,
    pub(crate) files: Vec<FileShape>,
    pub(crate) sinks: Vec<String>,
    /// The [`key`](crate::sink::spec::Target::key) of each database table and directory.
    pub(crate) databases: Vec<String>,
}

/// Returns the first frame of a log: a description of the pipeline that writes it.
pub(crate) fn header(shapes: &Shapes) -> Value {
    let sources = shapes.sources.iter().map(|source| {
        let tables = source.tables.iter().map(|TableShape { table, kept, files, databases }| {
            let mut shape = with_files(table_shape(table), files, databases);
            if *kept {
                shape["kept"] = true.into();
            }
            shape
        });
        json!({"name": source.name, "tables": tables.collect::<Vec<_>>()})
    });
    let mut header = json!({"format": FORMAT, "sources": sources.collect::<Vec<_>>()});
    let written = shapes.derived.iter().filter(|derived| !derived.files.is_empty() || !derived.sinks.is_empty());
    let derived = written.map(|derived| {
        let mut shape = with_files(table_shape(derived.table), &derived.files, &derived.databases);
        if !derived.sinks.is_empty() {
            shape["sinks"] = derived.sinks.clone().into();
        }
        shape
    });
    let derived: Vec<Value> = derived.collect();
    if !derived.is_empty() {
        header["derived"] = derived.into();
    }
    header
}

fn with_files(mut shape: Value, files: &[FileShape], databases: &[String]) -> Value {
    if !files.is_empty() {
        shape["files"] = files.iter().map(|(path, _)| path.as_str()).collect();
        shape["formats"] = files.iter().map(|(_, format)| *format).collect();
    }
    if !databases.is_empty() {
        shape["databases"] = databases.into();
    }
    shape
}

/// Returns the properties of a table that must not change between runs. Defaults, descriptions and aliases may change.
fn table_shape(table: &TableSchema) -> Value {
    let columns: Vec<Value> = table
        .columns
        .iter()
        .map(|column| {
            let mut ty = serde_json::to_value(column.data_type).unwrap_or_default();
            if column.optional {
                ty = format!("Option<{}>", ty.as_str().unwrap_or_default()).into();
            }
            json!({"name": column.name, "type": ty, "primary_key": column.primary_key})
        })
        .collect();
    json!({"name": table.name, "append_only": table.append_only, "columns": columns})
}

/// Checks that these sources can continue a log with this header.
///
/// # Errors
///
/// The difference, in a sentence.
pub(crate) fn check_header(header: &Value, shapes: &Shapes) -> Result<(), String> {
    let format = header["format"].as_u64();
    if format != Some(FORMAT) {
        let format = format.map_or("an unknown version".to_owned(), |format| format!("version {format}"));
        return Err(format!("its format is {format}, and this program reads version {FORMAT}"));
    }
    let written = list(&header["sources"]);
    let present = self::header(shapes);
    let ours = list(&present["sources"]);
    for source in written {
        let name = text(&source["name"]);
        let Some(now) = ours.iter().find(|now| now["name"] == source["name"]) else {
            return Err(format!("it has a source `{name}` that the pipeline does not read"));
        };
        let (before, now) = (list(&source["tables"]), list(&now["tables"]));
        if before.len() != now.len() {
            return Err(format!("source `{name}` had {} tables and now has {}", before.len(), now.len()));
        }
        for (before, now) in before.iter().zip(now) {
            if let Some(difference) = table_difference(before, now) {
                return Err(format!(
                    "the schema of table `{}` of source `{name}` has changed: {difference}",
                    text(&now["name"])
                ));
            }
        }
    }
    for source in ours {
        if !written.iter().any(|before| before["name"] == source["name"]) {
            return Err(format!("it has no source `{}`, which the pipeline reads", text(&source["name"])));
        }
    }
    let (before, now) = (list(&header["derived"]), list(&present["derived"]));
    for table in now {
        // Computed tables are matched by their first output. A table without an output is not in the record.
        let same = before.iter().find(|other| first_output(other) == first_output(table));
        if let Some(difference) = same.and_then(|same| table_difference(same, table)) {
            return Err(format!(
                "the schema of the computed table `{}` has changed: {difference}",
                text(&table["name"])
            ));
        }
    }
    check_files(&files(header), &files(&present))
}

/// An output file in a header, or a database table or directory. A database that has moved is not refused.
struct OutputFile {
    path: String,
    /// The table whose rows it has.
    table: String,
    /// A log of an earlier version has no formats, no databases, and the files of computed tables only.
    format: Option<String>,
}

fn files(header: &Value) -> Vec<OutputFile> {
    let of_sources = list(&header["sources"]).iter().flat_map(|source| {
        let tables = list(&source["tables"]).iter().enumerate();
        tables.map(|(i, table)| (format!("table {} of source `{}`", i + 1, text(&source["name"])), table))
    });
    let computed = list(&header["derived"]);
    let name_of_computed = |i: usize, table: &Value| {
        let name = text(&table["name"]);
        // A computed table has no unique name, so two of one row type differ in the order of the program only.
        match computed[..i].iter().filter(|other| other["name"] == table["name"]).count() {
            0 => format!("the computed table `{name}`"),
            before => format!("computed table {} of `{name}`", before + 1),
        }
    };
    let computed = computed.iter().enumerate().map(|(i, table)| (name_of_computed(i, table), table));
    let files = of_sources.chain(computed).flat_map(|(name, table)| {
        let file = |(i, path): (usize, &Value)| OutputFile {
            path: text(path).to_owned(),
            table: name.clone(),
            format: table["formats"][i].as_str().map(str::to_owned),
        };
        let database = |target: &Value| OutputFile { path: text(target).to_owned(), table: name.clone(), format: None };
        let files = list(&table["files"]).iter().enumerate().map(file).collect::<Vec<_>>();
        files.into_iter().chain(list(&table["databases"]).iter().map(database)).collect::<Vec<_>>()
    });
    files.collect()
}

/// Returns the keys of all database tables and directories in a header.
pub(crate) fn databases(header: &Value) -> Vec<String> {
    let sources = list(&header["sources"]).iter().flat_map(|source| list(&source["tables"]));
    let databases = sources.chain(list(&header["derived"])).flat_map(|table| list(&table["databases"]));
    databases.map(|key| text(key).to_owned()).collect()
}

/// Checks that each file continues with rows of the same table, in the same format. Several sinks can write to one device.
fn check_files(before: &[OutputFile], now: &[OutputFile]) -> Result<(), String> {
    for file in before {
        let continues = |same: &&OutputFile| {
            same.table == file.table && (file.format.is_none() || same.format.is_none() || same.format == file.format)
        };
        let same = || now.iter().filter(|same| same.path == file.path);
        let (None, Some(other)) = (same().find(continues), same().next()) else { continue };
        let path = shown_path(&file.path);
        if other.table != file.table {
            let (was, is) = (&file.table, &other.table);
            return Err(format!(
                "the output `{path}` contains the rows of {was}, and would now receive the rows of {is}"
            ));
        }
        let [was, is] = [file, other].map(|file| file.format.as_deref().unwrap_or_default());
        return Err(format!("the output `{path}` was written as {was}, and would be continued as {is}"));
    }
    Ok(())
}

fn first_output(computed: &Value) -> &Value {
    let files = &computed["files"][0];
    if files.is_null() { &computed["sinks"][0] } else { files }
}

/// Returns the number of the first table of each source in the log, in the order of a header.
pub(crate) fn first_tables(header: &Value, sources: &[SourceShape]) -> Vec<u32> {
    let written = list(&header["sources"]);
    let first = |name: &str| tables(written.iter().take_while(|source| source["name"] != name));
    sources.iter().map(|source| first(&source.name)).collect()
}

fn tables<'a>(sources: impl Iterator<Item = &'a Value>) -> u32 {
    sources.map(|source| list(&source["tables"]).len() as u32).sum()
}

/// Returns the number of each computed table in the log. The tables of the sources have the lower numbers. A table without
/// transactional sinks has no number.
pub(crate) fn computed_tables(header: &Value, derived: &[DerivedShape]) -> Vec<Option<u32>> {
    let first = tables(list(&header["sources"]).iter());
    let written = list(&header["derived"]);
    let number = |derived: &DerivedShape| {
        let sink = derived.sinks.first()?;
        let place = written.iter().position(|table| table["sinks"][0] == **sink)?;
        Some(first + place as u32)
    };
    derived.iter().map(number).collect()
}

/// Returns the items of a list. A log of an earlier version can lack one.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileLen {
    /// The path as the program specifies it, by [`path_key`](crate::sink::resume::path_key).
    pub(crate) path: String,
    pub(crate) len: u64,
    /// The check value of the file's last kilobytes.
    pub(crate) check: Option<u32>,
    /// Whether the file has the bad rows of a source.
    pub(crate) is_quarantine: bool,
}

impl FileLen {
    fn to_json(&self) -> Value {
        let mut file = json!({"path": self.path, "len": self.len});
        if let Some(check) = self.check {
            file["check"] = check.into();
        }
        if self.is_quarantine {
            file["quarantine"] = true.into();
        }
        file
    }

    fn of_json(file: &Value) -> Option<Self> {
        let check = file["check"].as_u64().and_then(|check| u32::try_from(check).ok());
        Some(FileLen {
            path: file["path"].as_str()?.to_owned(),
            len: file["len"].as_u64()?,
            check,
            is_quarantine: file["quarantine"] == true,
        })
    }
}

/// The time of the last commit in a transactional sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SinkTime {
    pub(crate) name: String,
    /// The sink has everything up to this time, so the log need not keep it.
    pub(crate) time: u64,
}

/// Everything except the rows that becomes durable together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) time: u64,
    /// The offset of each source that has one, by name.
    pub(crate) offsets: Vec<(String, Vec<u8>)>,
    pub(crate) files: Vec<FileLen>,
    pub(crate) sinks: Vec<SinkTime>,
    /// The position in the log at which the previous checkpoint ends, or 0 for the first one.
    pub(crate) after: u64,
    /// Whether the run ended in order after this checkpoint.
    pub(crate) is_end: bool,
}

impl Checkpoint {
    pub(crate) fn to_json(&self) -> Value {
        let offsets: Map<String, Value> =
            self.offsets.iter().map(|(name, offset)| (name.clone(), BASE64_STANDARD.encode(offset).into())).collect();
        let files: Vec<Value> = self.files.iter().map(FileLen::to_json).collect();
        let sinks: Vec<Value> = self.sinks.iter().map(|sink| json!({"name": sink.name, "time": sink.time})).collect();
        let (after, is_end) = (self.after, self.is_end);
        json!({"time": self.time, "offsets": offsets, "files": files, "sinks": sinks, "after": after, "end": is_end})
    }

    /// Returns `None` if the value is not a checkpoint. Its checksum was right, so another version must have written
    /// it.
    pub(crate) fn of_json(value: &Value) -> Option<Self> {
        let offsets = value["offsets"].as_object()?.iter();
        let offsets =
            offsets.map(|(name, offset)| Some((name.clone(), BASE64_STANDARD.decode(offset.as_str()?).ok()?)));
        let files = value["files"].as_array()?.iter();
        let files = files.map(FileLen::of_json);
        let sinks = value["sinks"].as_array()?.iter();
        let sinks =
            sinks.map(|sink| Some(SinkTime { name: sink["name"].as_str()?.to_owned(), time: sink["time"].as_u64()? }));
        Some(Checkpoint {
            time: value["time"].as_u64()?,
            offsets: offsets.collect::<Option<_>>()?,
            files: files.collect::<Option<_>>()?,
            sinks: sinks.collect::<Option<_>>()?,
            // A log of an earlier version lacks them.
            after: value["after"].as_u64().unwrap_or_default(),
            is_end: value["end"] == true,
        })
    }
}
