//! Tables as Parquet files.
//!
//! A directory receives the *updates* of a table, with `time` and `diff` beside the columns, in files that are written
//! one after the other: `part-00000001-<time>.parquet`, where `<time>` is the time of its last commit. The columns have
//! the types of [`TableSchema::arrow_schema`](crate::TableSchema::arrow_schema), with two exceptions. A `Decimal`, an
//! `i128` and a `u128` are strings, because few readers support decimals of 39 or 57 digits. An array is a list,
//! because pyarrow does not read a null in a column of arrays. DuckDB and Polars read `cats/*.parquet`, and pyarrow and
//! pandas read the directory `cats`, as one table, even while the pipeline writes.
//!
//! A part gets its final name when it is complete. Until then its name is `.part.parquet.new`, which these readers
//! ignore. A part ends when it has the number of [`rows`](Options::rows), when it reaches the age of
//! [`every`](Options::every), or when the pipeline ends. It contains whole commits.
//!
//! When the pipeline starts, it creates the directory, or removes the parts in it. A persistent pipeline continues
//! them: each commit is in exactly one part, and a complete part contains only commits that a checkpoint covers.
//! Commits that are not in a complete part are kept in the state. A part ends earlier when the state has 64 MiB of
//! history. Do not move or rewrite the parts: the pipeline fails if an earlier part is missing or has a different
//! length.
//!
//! Arrow stores instants, civil date-times and durations as 64-bit numbers of nanoseconds: instants and date-times from
//! 1677-09-21 to 2262-04-11, and durations up to 292 years. If a source pushes a row with a value outside these ranges,
//! or a row of more than 2 * 10^9 bytes, the row is a bad row, which the source's [`BadRows`](crate::BadRows) policy
//! handles. If a computation produces such a row, the row fails the pipeline. In a persistent pipeline, it also fails
//! each later start, so limit these values in the computation. For larger ranges, use a column of another type, such as
//! an integer.
//!
//! ```
//! use pathway_io::{Pipeline, Schema, Subject, connector, parquet};
//!
//! #[derive(Schema)]
//! struct Cat {
//!     #[schema(primary_key)]
//!     key: i64,
//!     genus: String,
//! }
//!
//! struct Cats;
//!
//! #[connector]
//! impl Cats {
//!     fn run(&mut self, cats: Subject<Cat>) -> pathway_io::RunResult {
//!         Ok(cats.next(Cat { key: 1, genus: "felis".into() })?)
//!     }
//! }
//!
//! let directory = tempfile::tempdir()?;
//! let pipeline = Pipeline::new();
//! let cats = pipeline.read(Cats);
//! parquet::write(&cats, directory.path().join("cats"), parquet::Options::new().rows(100_000));
//! pipeline.run()?;
//! assert_eq!(std::fs::read_dir(directory.path().join("cats"))?.count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod complete;
mod part;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::rows::batch::Batch;
use crate::rows::check::RowCheck;
use crate::rows::commit::Commit;
use crate::rows::description::TableSchema;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::row_error::RowError;
use crate::run::error::{BoxError, RunResult};
use crate::run::files::{LockedFile, Watch, lock};
use crate::schema::{BatchBuilder, row_check};
use crate::sink::Sink;
use crate::sink::file::file_system;
use crate::sink::file::storage::{FileError, Storage, create_directory, remove, sync_parent};
use crate::sink::spec::{AnySink, SinkSpec, StagedSink};
use complete::{CompletePart, CompleteParts};
use part::PartWriter;

/// The number of rows that are collected before they are encoded.
const ROWS: usize = 16_384;

/// The number of bytes of column data that are collected before they are encoded.
const BYTES: usize = 16 * 1024 * 1024;

/// The maximum number of bytes in a row. An array of strings in Arrow has less than 2^31 bytes, and is begun after at
/// most `BYTES`.
const ROW_LIMIT: usize = 2_000_000_000;

/// The name of a part until it is complete. Programs that read a whole directory ignore names with a dot in front.
const UNFINISHED: &str = ".part.parquet.new";

/// Writes the updates of a table into Parquet files in a directory.
///
/// # Panics
///
/// Panics if the pipeline of the table has been started or dropped.
pub fn write<S: Schema>(table: &Table<S>, directory: impl AsRef<Path>, options: Options) {
    let directory = directory.as_ref();
    table.add_sink(SinkSpec::file(directory.to_owned(), Box::new(ParquetSink::new(directory, options))));
}

/// Options for the parts of a table.
///
/// ```
/// use std::time::Duration;
///
/// let options = pathway_io::parquet::Options::new().rows(500_000).every(Duration::from_secs(3600));
/// # let _ = options;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Options {
    rows: usize,
    every: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Options { rows: 1_000_000, every: None }
    }
}

impl Options {
    /// Returns options that end a part after 1,000,000 updates, whatever its age.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends a part with the commit after which it has at least `rows` updates.
    pub fn rows(mut self, rows: usize) -> Self {
        self.rows = rows.max(1);
        self
    }

    /// Ends a part this long after its first commit, even if no other commit follows. A directory without updates
    /// receives no parts.
    pub fn every(mut self, duration: Duration) -> Self {
        self.every = Some(duration);
        self
    }
}

struct ParquetSink {
    directory: PathBuf,
    options: Options,
    storage: Arc<dyn Storage>,
    lock: Option<LockedFile>,
    watch: Option<Watch>,
    builder: Option<BatchBuilder>,
    /// The bytes of column data in the builder.
    collected: usize,
    part: Option<PartWriter>,
    /// When the part was begun.
    since: Instant,
    /// The number of updates in the part, and the time of the last commit.
    updates: usize,
    last: u64,
    /// The number and the last time of the last complete part.
    complete: (u64, u64),
    /// All complete parts, if the pipeline is persistent. If it is not, other programs may remove them.
    parts: Option<CompleteParts>,
}

impl ParquetSink {
    fn new(directory: &Path, options: Options) -> Self {
        ParquetSink {
            directory: directory.to_owned(),
            options,
            storage: file_system(),
            lock: None,
            watch: None,
            builder: None,
            collected: 0,
            part: None,
            since: Instant::now(),
            updates: 0,
            last: 0,
            complete: (0, 0),
            parts: None,
        }
    }

    /// Creates and locks the directory, removes an incomplete part, and finds the complete parts.
    ///
    /// The path becomes absolute, in case the program changes its working directory.
    fn open_directory(&mut self) -> Result<Vec<CompletePart>, BoxError> {
        self.directory = absolute(&self.directory).map_err(|error| FileError::new("find", &self.directory, error))?;
        let directory = &self.directory;
        create_directory(&*self.storage, directory, "create", || fs::create_dir_all(directory))?;
        if self.lock.is_none() {
            self.lock = locked(directory).map_err(|error| FileError::new("lock", directory, error))?;
        }
        let found = fs::metadata(directory).map_err(|error| FileError::new("find", directory, error))?;
        self.watch = Some(Watch::new(directory, &found));
        let mut parts = Vec::new();
        let entries = fs::read_dir(directory).map_err(|error| FileError::new("read", directory, error))?;
        for entry in entries {
            let path = entry.map_err(|error| FileError::new("read", directory, error))?.path();
            match path.file_name().and_then(|name| name.to_str()) {
                Some(UNFINISHED) => remove(&*self.storage, &path)?,
                Some(name) => parts.extend(numbers(name).map(|(number, time)| (number, time, path.clone()))),
                None => {}
            }
        }
        parts.sort();
        Ok(parts)
    }

    /// Collects a part of a commit. Rows are encoded as soon as there are enough of them, because a commit can be
    /// larger than the memory.
    fn collect<S: Schema>(&mut self, batch: &Batch<S>, time: u64) -> RunResult {
        if self.collected + batch.bytes() > BYTES {
            self.encode()?;
        }
        let builder = self.builder.as_mut().ok_or("the directory is not open")?;
        builder.append(batch, time)?;
        self.collected += batch.bytes();
        if builder.rows() >= ROWS { self.encode() } else { Ok(()) }
    }

    /// Encodes the collected rows.
    fn encode(&mut self) -> Result<(), BoxError> {
        let Some(builder) = self.builder.as_mut().filter(|builder| builder.rows() > 0) else { return Ok(()) };
        let batch = builder.finish()?;
        self.collected = 0;
        let part = match &mut self.part {
            Some(part) => part,
            none => none.insert(PartWriter::begin(&self.storage, self.directory.join(UNFINISHED), builder.schema())?),
        };
        part.write(&batch)
    }
}

/// Locks a directory against other pipelines, which would remove its parts or add their own. Returns `None` where a
/// program cannot open a directory.
fn locked(directory: &Path) -> io::Result<Option<LockedFile>> {
    if !cfg!(unix) {
        return Ok(None);
    }
    let directory = File::open(directory)?;
    lock(&directory)?;
    Ok(Some(LockedFile(directory)))
}

/// Returns the name of a complete part, by its number and the time of its last commit.
fn name_of(number: u64, time: u64) -> String {
    format!("part-{number:08}-{time}.parquet")
}

/// Returns the number of a part and the time of its last commit, if a complete part has exactly this name. Other
/// programs have similar names for their files.
fn numbers(name: &str) -> Option<(u64, u64)> {
    let (number, time) = name.strip_prefix("part-")?.strip_suffix(".parquet")?.split_once('-')?;
    let (number, time) = (number.parse().ok()?, time.parse().ok()?);
    (number > 0 && name_of(number, time) == name).then_some((number, time))
}

impl<S: Schema> Sink<S> for ParquetSink {
    fn open(&mut self, schema: &'static TableSchema) -> RunResult {
        for (_, _, path) in self.open_directory()? {
            remove(&*self.storage, &path)?;
        }
        self.builder = Some(BatchBuilder::for_files(schema));
        Ok(())
    }

    fn is_transactional(&self) -> bool {
        true
    }

    fn recover(&mut self, schema: &'static TableSchema) -> Result<Option<u64>, BoxError> {
        let parts = self.open_directory()?;
        // The previous run may have ended after it renamed a part and before it synced the directory.
        sync_parent(&*self.storage, &self.directory.join(UNFINISHED))?;
        self.parts = Some(CompleteParts::found(&self.directory, &parts)?);
        self.builder = Some(BatchBuilder::for_files(schema));
        let last = parts.last().map(|(number, time, _)| (*number, *time));
        self.complete = last.unwrap_or_default();
        self.last = self.complete.1;
        Ok(last.map(|(_, time)| time))
    }

    fn write(&mut self, commit: &Commit<S>) -> RunResult {
        if self.updates == 0 {
            self.since = Instant::now();
        }
        commit.batches().iter().try_for_each(|batch| self.collect(batch, commit.time()))?;
        self.updates += commit.len();
        self.last = commit.time();
        let is_old = self.options.every.is_some_and(|every| self.since.elapsed() >= every);
        if self.updates >= self.options.rows || is_old {
            self.end_part()?;
        }
        Ok(())
    }

    fn row_check(&self) -> Option<RowCheck<S>> {
        let (from_bytes, check) = row_check::<S>(ROW_LIMIT);
        Some(RowCheck::of_columns(from_bytes, move |columns, row| {
            check(columns, row)
                .map_err(|unfit| RowError::new(unfit.reason).at_column(Some(S::SCHEMA.columns[unfit.column].name)))
        }))
    }

    fn close(&mut self) -> RunResult {
        self.end_part()
    }
}

impl<S: Schema> AnySink<S> for ParquetSink {
    fn staged(&mut self) -> Option<&mut dyn StagedSink> {
        Some(self)
    }
}

impl StagedSink for ParquetSink {
    fn due(&self) -> Option<Instant> {
        if self.updates == 0 { None } else { self.since.checked_add(self.options.every?) }
    }

    fn end_part(&mut self) -> RunResult {
        if let Some(watch) = &self.watch {
            watch.check(0, false).map_err(|error| FileError::new("continue", &self.directory, error))?;
        }
        self.encode()?;
        if let Some(part) = self.part.take() {
            let number = self.complete.0 + 1;
            let path = self.directory.join(name_of(number, self.last));
            if let Some(parts) = &mut self.parts {
                parts.check()?;
            }
            let len = part.end(&*self.storage, path.clone())?;
            if let Some(parts) = &mut self.parts {
                parts.add(path, len);
            }
            self.complete = (number, self.last);
        }
        self.updates = 0;
        Ok(())
    }

    fn durable(&self) -> u64 {
        self.complete.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "faults")]
    #[test]
    fn the_names_of_all_new_directories_are_durable() {
        use crate::sink::file::faults::{Fault, Mount};
        let root = tempfile::tempdir().unwrap();
        let disk = Mount::new(root.path(), Fault::None);
        let directory = root.path().join("new/cats/parts");
        let mut sink = ParquetSink::new(&directory, Options::new());
        for _ in 0..2 {
            sink.open_directory().unwrap();
            let mut synced: Vec<PathBuf> = disk.calls().into_iter().map(|call| call.path).collect();
            synced.sort();
            assert_eq!(synced, [root.path().into(), root.path().join("new"), root.path().join("new/cats")]);
        }
    }

    #[test]
    fn a_part_has_exactly_the_name_that_the_sink_gives_it() {
        assert_eq!(numbers(&name_of(1, 5)), Some((1, 5)));
        assert_eq!(numbers("part-123456789-0.parquet"), Some((123_456_789, 0)));
        for name in
            ["part-1-5.parquet", "part-+0000001-5.parquet", "part-00000001-05.parquet", "part-00000001-+5.parquet"]
        {
            assert_eq!(numbers(name), None, "{name}");
        }
    }
}
