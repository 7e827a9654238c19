//! The restart: finds the newest checkpoint, checks that the pipeline fits it, and reads the rows back. It changes
//! nothing on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::directory::StateDirectory;
use super::frame::{Frame, FrameKind, FrameReader};
use super::log;
use super::record::{self, Checkpoint, TableShape};
use crate::pipeline::any_table::{AnyTable, RestoredAs};
use crate::run::error::BoxError;
use crate::sink::file::check_value;
use crate::sink::resume::{path_key, shown_path};

/// A log with a checkpoint.
pub(crate) struct Recovered {
    pub(crate) generation: u64,
    path: PathBuf,
    pub(crate) checkpoint: Checkpoint,
    /// The position at which the last checkpoint ends.
    pub(crate) end: u64,
    /// The position at which the checkpoint before the last one ends. Equals `end` if there is only one.
    pub(crate) before_last: u64,
    /// The position at which the first checkpoint ends.
    pub(crate) initial_len: u64,
}

/// The help for an output or a sink that the pipeline no longer has.
const ADD_AGAIN: &str = "add it again, or remove the state directory and the outputs to start over";
/// The help for an output or a sink that the pipeline did not have.
const ELSEWHERE: &str = "write it from a second pipeline, or remove the state directory and the outputs to start over";
/// The help for a program that differs from the one that wrote the log.
pub(super) const AS_BEFORE: &str =
    "undo this change of the program, or remove the state directory and the outputs to start over";
/// The help for a log that cannot be used.
const WAY_OUT: &str = "restore the state directory and the outputs from a backup, or remove both to start over";
/// The help for a quarantine file that was changed.
const ANOTHER_QUARANTINE: &str = "put it back as it was, or choose another path for further bad rows";

/// Returns the newest log of the directory, if there is one, after checking that this pipeline can continue it.
/// `quarantines` are the files of bad rows. They can be new, and can be left out.
pub(crate) fn find(
    directory: &StateDirectory,
    header: &Value,
    tables: &[TableShape],
    quarantines: &[PathBuf],
) -> Result<Option<Recovered>, BoxError> {
    let logs = directory.logs()?;
    let Some(&generation) = logs.first() else {
        return Ok(None);
    };
    let (found, before) = read(&log::path(directory.path(), generation), generation, header)?;
    check_outputs(&found.checkpoint, tables, quarantines)?;
    check_sinks(&found.checkpoint, tables, [&before, header])?;
    Ok(Some(found))
}

fn damaged(path: &Path, at: u64, what: &str) -> BoxError {
    format!("`{}` is damaged at byte {at}: {what}\nhelp: {WAY_OUT}", path.display()).into()
}

/// Reads a log, and checks that a pipeline with the header `now` can continue it. Also returns the header of the log.
pub(super) fn read(path: &Path, generation: u64, now: &Value) -> Result<(Recovered, Value), BoxError> {
    let mut reader = FrameReader::open(path)?;
    let header = match reader.next()? {
        Some(frame) if frame.kind == FrameKind::Header => serde_json::from_slice::<Value>(&frame.payload)?,
        _ => return Err(damaged(path, 0, "expected the header of a pathway-io log")),
    };
    record::check_header(&header, now).map_err(|difference| format!("{difference}\nhelp: {AS_BEFORE}"))?;
    let mut last: Option<(Checkpoint, u64)> = None;
    let (mut initial_len, mut before_last) = (0, 0);
    while let Some(frame) = reader.next()? {
        if frame.kind == FrameKind::Checkpoint {
            let checkpoint = serde_json::from_slice(&frame.payload).ok();
            let checkpoint = checkpoint.as_ref().and_then(Checkpoint::of_json);
            let checkpoint = checkpoint.ok_or_else(|| damaged(path, frame.start, "a checkpoint cannot be read"))?;
            if last.is_none() {
                initial_len = frame.end;
            }
            before_last = last.map_or(frame.end, |(_, end)| end);
            last = Some((checkpoint, frame.end));
        }
    }
    let at = reader.at();
    let later = reader.checkpoints_after()?;
    // After a power cut, a single checkpoint can be on disk without its rows, but not without the checkpoint before
    // it.
    let follows = |frame: &Frame| serde_json::from_slice::<Value>(&frame.payload).ok()?["after"].as_u64();
    let has_lost_one = |frame: &Frame| match (follows(frame), &last) {
        (Some(after), Some((_, end))) => after != *end,
        _ => false,
    };
    if later.len() > 1 || later.first().is_some_and(has_lost_one) {
        return Err(damaged(path, at, "the bytes there are not those that were written"));
    }
    // A log gets its name only after its first checkpoint.
    let (checkpoint, end) = last.ok_or_else(|| damaged(path, at, "it has no checkpoint, or only a part of it"))?;
    Ok((Recovered { generation, path: path.to_owned(), checkpoint, end, before_last, initial_len }, header))
}

fn check_outputs(checkpoint: &Checkpoint, tables: &[TableShape], quarantines: &[PathBuf]) -> Result<(), BoxError> {
    let outputs = || tables.iter().flat_map(|table| &table.outputs);
    let files = || outputs().filter(|(_, format)| format.is_some()).map(|(target, _)| &target.path);
    let recorded = |path: &Path| checkpoint.files.iter().any(|file| file.path == path_key(path));
    if let Some(path) = files().find(|path| !recorded(path)) {
        let shown = path.display();
        let is_same = |other: &Path| std::path::absolute(other).ok() == std::path::absolute(path).ok();
        // The directory of the output may have been moved.
        let is_moved = |other: &Path| other.file_name() == path.file_name() && !files().any(|path| path == other);
        let mut others = checkpoint.files.iter().map(|file| shown_path(&file.path));
        let other = others.find(|other| is_same(Path::new(other)) || is_moved(Path::new(other)));
        return Err(match other {
            Some(other) => format!(
                "the output `{shown}` was given as `{other}`\nhelp: give the path as before; if the file was moved, make \
                 a symbolic link at that path"
            )
            .into(),
            None => format!("the output `{shown}` is new: it would not contain the earlier commits\nhelp: {ELSEWHERE}")
                .into(),
        });
    }
    let holds_something = |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0);
    if let Some(path) = quarantines.iter().find(|path| !recorded(path) && holds_something(path)) {
        return Err(format!(
            "the quarantine file `{}` has rows that this state does not know\nhelp: move it away, or choose another path",
            path.display()
        )
        .into());
    }
    for file in &checkpoint.files {
        let Some(path) = files().chain(quarantines).find(|path| path_key(path) == file.path) else {
            if file.is_quarantine {
                continue;
            }
            let path = shown_path(&file.path);
            return Err(format!("the output `{path}` is no longer in the pipeline\nhelp: {ADD_AGAIN}").into());
        };
        let (what, help) =
            if file.is_quarantine { ("quarantine file", ANOTHER_QUARANTINE) } else { ("output", WAY_OUT) };
        let shown = path.display();
        let len = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            // A device or a pipe keeps nothing.
            Ok(_) => continue,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(format!("the {what} `{shown}` is gone: it had {} bytes\nhelp: {help}", file.len).into());
            }
            Err(error) => return Err(crate::sink::file::storage::FileError::new("open", path, error).into()),
        };
        if len < file.len {
            return Err(format!(
                "the {what} `{shown}` is shorter than it was: it had {} bytes and has {len}\nhelp: {help}",
                file.len
            )
            .into());
        }
        if let Some(check) = file.check
            && check_value(path, file.len)? != check
        {
            return Err(format!(
                "the {what} `{shown}` was changed since the last run: the bytes before byte {} are not those that were \
                 written\nhelp: {help}",
                file.len
            )
            .into());
        }
    }
    Ok(())
}

/// Checks that each table has as many transactional sinks as before. The number is the only name that your own sinks
/// have.
fn check_sinks(checkpoint: &Checkpoint, tables: &[TableShape], headers: [&Value; 2]) -> Result<(), BoxError> {
    let [before, now] = headers.map(record::databases);
    let only =
        |in_one: &[&str], other: &[&str]| in_one.iter().find(|name| !other.contains(name)).map(|name| shown_path(name));
    let sinks: Vec<String> = tables.iter().flat_map(TableShape::sinks).collect();
    if let Some(new) = sinks.iter().find(|sink| !checkpoint.sinks.contains_key(*sink)) {
        let name = only(&now, &before).unwrap_or_else(|| new.clone());
        return Err(
            format!("the sink `{name}` is new: it would not receive the earlier commits\nhelp: {ELSEWHERE}").into()
        );
    }
    if let Some(gone) = checkpoint.sinks.keys().find(|known| !sinks.contains(known)) {
        let name = only(&before, &now).unwrap_or_else(|| gone.clone());
        return Err(format!("the sink `{name}` is no longer in the pipeline\nhelp: {ADD_AGAIN}").into());
    }
    Ok(())
}

impl Recovered {
    /// Reads the rows back into the tables. The sinks of computed tables receive the commits that they may lack.
    pub(crate) fn restore(&self, tables: &[TableShape]) -> Result<(), BoxError> {
        let tables: Vec<(&Arc<dyn AnyTable>, u64)> =
            tables.iter().map(|shape| (&shape.table, self.known(shape))).collect();
        let mut reader = FrameReader::open(&self.path)?;
        while let Some(frame) = reader.next()? {
            if frame.end > self.end {
                break;
            }
            self.restore_frame(&frame, &tables)?;
        }
        Ok(())
    }

    /// Returns the latest time up to which all transactional sinks of a table are known to have every commit.
    fn known(&self, table: &TableShape) -> u64 {
        let time = |id: String| self.checkpoint.sinks.get(&id).copied().unwrap_or(0);
        table.sinks().map(time).min().unwrap_or(u64::MAX)
    }

    fn restore_frame(&self, frame: &Frame, tables: &[(&Arc<dyn AnyTable>, u64)]) -> Result<(), BoxError> {
        let (state, head) = match frame.kind {
            FrameKind::Header | FrameKind::Checkpoint => return Ok(()),
            FrameKind::Snapshot => (true, 4),
            FrameKind::Rows => (true, 12),
            FrameKind::Held => (false, 12),
        };
        let wrong = |what: &str| damaged(&self.path, frame.start, what);
        let Some((numbers, rows)) = frame.payload.split_at_checked(head) else {
            return Err(wrong("a frame is too short"));
        };
        let (table, time) = numbers.split_at(4);
        let table = table.try_into().map_or(u32::MAX, u32::from_le_bytes);
        let time = time.try_into().map(u64::from_le_bytes).ok();
        let Some((table, known)) = tables.get(table as usize) else {
            return Err(wrong("it has rows of a table that is not in the header"));
        };
        let restored = RestoredAs { state, held: time.filter(|time| time > known) };
        // The checksum of the frame was right.
        table.restore(rows, restored).map_err(|error| {
            format!(
                "`{}` has a row at byte {} that its table cannot hold: {error}\nhelp: the type of the column reads fewer \
                 values than before: restore it, or remove the state directory and the outputs to start over",
                self.path.display(),
                frame.start
            )
            .into()
        })
    }
}
