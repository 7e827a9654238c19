//! The start of a persistent pipeline. All checks are made here, before any thread runs and before any file is
//! touched.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use serde_json::Value;

use super::checkpointer::{CheckpointerThread, FirstLog, PersistedSource, Plan, Quarantine};
use super::directory::StateDirectory;
use super::log::LogPlace;
use super::record::{self, DerivedShape, FileShape, Shapes, SourceShape, TableShape};
use super::recover::{self, AS_BEFORE, Found, Outputs};
use super::{Durability, computed_id, table_id};
use crate::pipeline::any_table::{AnyTable, TableState};
use crate::pipeline::extensions::{Checkpointing, ComputedOn, Prepared};
use crate::pipeline::plan::SourcePlan;
use crate::pipeline::workers::Workers;
use crate::run::control::Control;
use crate::run::error::{BoxError, Error, Result};
use crate::run::guard::guarded;
use crate::run::quarantine::BadRows;
use crate::sequencer::inbox::Inbox;
use crate::sequencer::journal::{CheckpointMessage, ComputedRecord};
use crate::sink::file::OutputFile;
use crate::sink::file::file_system;
use crate::sink::resume::{Resume, path_key, sink_id};
use crate::sink::spec::Target;
use crate::sink::start::CheckpointedSink;
use crate::source::offset::Offsets;
use crate::source::shared::Source;

/// The state from which a persistent pipeline starts.
pub(super) struct PreparedState {
    directory: Arc<StateDirectory>,
    durability: Durability,
    resume: Arc<Resume>,
    /// The names and the numbers in the log of the computed tables that have transactional sinks.
    computed: Vec<Option<(String, u32)>>,
    /// The commits of these tables.
    results: (Sender<ComputedRecord>, Receiver<ComputedRecord>),
    header: Value,
    /// The offsets of each source, in the form that the source resumes from and in the form of the checkpoint.
    offsets: Vec<(Offsets, Option<Vec<u8>>)>,
    first_tables: Vec<u32>,
    first_log: FirstLog,
    /// The sources that were added so far.
    sources: Vec<PersistedSource>,
}

impl PreparedState {
    /// Checks the sources against the directory, and reads their tables back.
    pub(super) fn new(
        directory: Arc<StateDirectory>,
        durability: Durability,
        sources: &[SourcePlan],
        derived: &[Arc<dyn AnyTable>],
        workers: &Workers,
    ) -> Result<Self> {
        check_workers(workers, sources)?;
        for source in sources {
            check_source(source).map_err(Error::pipeline)?;
        }
        let path = directory.path().to_owned();
        Self::recover(directory, durability, sources, derived, workers).map_err(|error| {
            match error.downcast::<Error>() {
                // The panic of a connector's offset, which names the connector.
                Ok(error) => *error,
                Err(error) => {
                    Error::pipeline(format!("cannot continue from the state in `{}`: {error}", path.display()))
                }
            }
        })
    }

    fn recover(
        directory: Arc<StateDirectory>,
        durability: Durability,
        sources: &[SourcePlan],
        derived: &[Arc<dyn AnyTable>],
        workers: &Workers,
    ) -> std::result::Result<Self, BoxError> {
        let files = |table: &dyn AnyTable| -> Vec<FileShape> {
            let files = table.sinks().files(workers.numbers()).into_iter();
            files.map(|(path, format)| (path_key(&path), format)).collect()
        };
        let databases = |table: &dyn AnyTable| table.sinks().databases().iter().map(Target::key).collect();
        let table_shape = |table: &dyn AnyTable| TableShape {
            table: table.schema(),
            kept: keep_rows(table),
            files: files(table),
            databases: databases(table),
        };
        let source = |source: &SourcePlan| SourceShape {
            name: source.name.to_string(),
            tables: source.tables.iter().map(|table| table_shape(&**table)).collect(),
        };
        let ids = computed_ids(derived);
        let written = |(table, id): (&Arc<dyn AnyTable>, &Option<String>)| DerivedShape {
            table: table.schema(),
            files: files(&**table),
            sinks: id.iter().flat_map(|id| sinks(id, &**table)).collect(),
            databases: databases(&**table),
        };
        let shapes = Shapes {
            sources: sources.iter().map(source).collect(),
            derived: derived.iter().zip(&ids).map(written).collect(),
        };
        let found = recover::find(&directory, &shapes, &outputs(sources, derived, &shapes, workers))?;
        let offsets = sources
            .iter()
            .map(|source| offsets(source, found.as_ref()))
            .collect::<std::result::Result<Vec<_>, BoxError>>()?;
        if let Some(found) = &found {
            let tables: Vec<Vec<Arc<dyn AnyTable>>> = sources.iter().map(|source| source.tables.clone()).collect();
            found.restore(&shapes, &tables, derived)?;
        }
        let header = found.as_ref().map_or_else(|| record::header(&shapes), |found| found.header.clone());
        let first_tables = record::first_tables(&header, &shapes.sources);
        let first_log = found.as_ref().map_or(FirstLog::New, |found| FirstLog::Found {
            generation: found.generation,
            // The mark of a clean end is cut off. Its own sync may have failed, and only data that is written again
            // can be synced. Everything before it was synced when it was written.
            end: if found.checkpoint.is_end { found.before_last } else { found.end },
            begun: found.begun,
            is_clean: found.checkpoint.is_end,
        });
        let numbers = record::computed_tables(&header, &shapes.derived);
        let checkpoint = found.map(|found| found.checkpoint);
        let resume = Resume {
            checkpoint: checkpoint.as_ref().map(|checkpoint| checkpoint.time),
            sync: durability.syncs(),
            files: checkpoint
                .iter()
                .flat_map(|checkpoint| &checkpoint.files)
                .map(|file| (file.path.clone(), file.len))
                .collect(),
            sinks: checkpoint
                .iter()
                .flat_map(|checkpoint| &checkpoint.sinks)
                .map(|sink| (sink.name.clone(), sink.time))
                .collect(),
        };
        Ok(PreparedState {
            directory,
            durability,
            resume: Arc::new(resume),
            computed: ids.into_iter().zip(numbers).map(|(id, number)| id.zip(number)).collect(),
            // Bounded by the backlogs of the sources: each commit holds credit until its results were taken.
            results: unbounded(),
            header,
            offsets,
            first_tables,
            first_log,
            sources: Vec::new(),
        })
    }
}

impl Prepared for PreparedState {
    fn time(&self) -> u64 {
        self.resume.time()
    }

    fn table(&self, source: &str, table: usize) -> TableState {
        TableState { resume: Arc::clone(&self.resume), id: table_id(source, table), results: None }
    }

    fn derived(&self, number: usize) -> TableState {
        let (id, number) = self.computed[number].clone().unzip();
        let results = number.map(|number| (number, self.results.0.clone()));
        TableState { resume: Arc::clone(&self.resume), id: id.unwrap_or_default(), results }
    }

    fn take_offsets(&mut self, source: usize) -> Offsets {
        std::mem::take(&mut self.offsets[source].0)
    }

    fn add_source(&mut self, source: &Arc<Source>, bad_rows: BadRows) {
        let quarantine = match bad_rows {
            BadRows::Quarantine(path) => {
                let name = path_key(&path);
                let mut file = OutputFile::new(&path).private();
                file.persist(self.resume.file(&name));
                Some(Quarantine {
                    path: name,
                    file,
                    durable: 0,
                    check: None,
                    at: std::path::absolute(&path).unwrap_or(path),
                })
            }
            BadRows::Fail | BadRows::Skip => None,
        };
        let index = self.sources.len();
        self.sources.push(PersistedSource {
            source: Arc::clone(source),
            first_table: self.first_tables[index],
            offset: self.offsets[index].1.take(),
            quarantine,
        });
    }

    fn begin(
        self: Box<Self>,
        sinks: Vec<(Option<(usize, usize)>, CheckpointedSink)>,
        inbox: &Arc<Inbox>,
        control: &Arc<Control>,
    ) -> (Sender<CheckpointMessage>, Box<dyn Checkpointing>) {
        // Bounded by the backlogs of the sources: each message holds credit.
        let (sender, received) = unbounded();
        let plan = Plan {
            place: LogPlace {
                directory: self.directory.path().to_owned(),
                storage: file_system(),
                sync: self.durability.syncs(),
            },
            directory: Arc::clone(&self.directory),
            durability: self.durability,
            first_log: self.first_log,
            time: self.resume.time(),
            header: self.header,
            sources: self.sources,
            sinks,
            received,
            results: self.results.1,
            inbox: Arc::clone(inbox),
            control: Arc::clone(control),
        };
        (sender, Box::new(CheckpointerThread { plan: Some(plan), directory: self.directory }))
    }
}

/// Refuses what cannot be persistent yet: several processes, and a source that is read in several partitions.
fn check_workers(workers: &Workers, sources: &[SourcePlan]) -> Result<()> {
    if workers.processes() > 1 {
        return Err(Error::pipeline("cannot be persistent in several processes yet\nhelp: run it in one process"));
    }
    if workers.threads > 1 && sources.iter().any(SourcePlan::is_partitioned) {
        return Err(Error::pipeline(
            "cannot be persistent yet while a source is read in several partitions\nhelp: run it on one worker",
        ));
    }
    Ok(())
}

/// Decides whether the distinct rows of a table must be kept, because computations read it and it has no key. Returns
/// the answer, and makes the table keep them.
fn keep_rows(table: &dyn AnyTable) -> bool {
    let is_kept = !table.schema().is_upserted() && table.extensions().find::<ComputedOn>().is_some();
    if is_kept {
        table.keep_rows();
    }
    is_kept
}

fn check_source(source: &SourcePlan) -> std::result::Result<(), String> {
    let name = &source.name;
    match source.options.name.as_deref() {
        None => Err(format!(
            "source `{name}` has no explicit name, by which a restart could find it\n\
             help: write `#[connector(name = \"..\")]`, or call `ReadOptions::name`"
        )),
        Some(given) if *given != **name => Err(format!(
            "two sources are named `{given}`, and a restart could not distinguish them\nhelp: give each its own name"
        )),
        Some(_) => check_offsets(source),
    }
}

fn check_offsets(source: &SourcePlan) -> std::result::Result<(), String> {
    let name = &source.name;
    match (source.options.is_full_snapshot(), source.offset_type.is_unit) {
        (false, false) => Ok(()),
        (false, true) => Err(format!(
            "source `{name}` has no offsets, so a restart could not know where to continue\n\
             help: give its subjects an offset type, as in `Subject<Row, u64>`, or declare with `ReadOptions::full_snapshot` \
             that it sends its whole table each time"
        )),
        (true, false) => Err(format!(
            "source `{name}` has offsets and declares `full_snapshot`: it either continues from an offset or sends its whole table \
             each time\nhelp: remove one of the two"
        )),
        (true, true) => match source.tables.iter().find(|table| !table.schema().is_upserted()) {
            None => Ok(()),
            Some(table) => Err(format!(
                "source `{name}` declares `full_snapshot`, and its table `{}` has no primary key by which rows could be \
                 compared, or is append-only\nhelp: add a primary key, or give its subjects an offset type",
                table.schema().name
            )),
        },
    }
}

/// Returns the names of the computed tables with transactional sinks; `None` for other tables.
fn computed_ids(derived: &[Arc<dyn AnyTable>]) -> Vec<Option<String>> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let id = |table: &Arc<dyn AnyTable>| {
        if table.sinks().transactional() == 0 {
            return None;
        }
        let name = table.schema().name;
        let number = seen.entry(name).or_default();
        *number += 1;
        Some(computed_id(name, *number - 1))
    };
    derived.iter().map(id).collect()
}

/// Returns the transactional sinks of a table.
fn sinks(table_id: &str, table: &dyn AnyTable) -> impl Iterator<Item = String> {
    (0..table.sinks().transactional()).map(move |sink| sink_id(table_id, sink))
}

fn outputs(sources: &[SourcePlan], derived: &[Arc<dyn AnyTable>], shapes: &Shapes, workers: &Workers) -> Outputs {
    let files_of = |table: &dyn AnyTable| table.sinks().files(workers.numbers()).into_iter().map(|(path, _)| path);
    let mut files: Vec<PathBuf> = derived.iter().flat_map(|table| files_of(&**table)).collect();
    let mut quarantines = Vec::new();
    let mut timed: Vec<String> = shapes.derived.iter().flat_map(|derived| derived.sinks.clone()).collect();
    for source in sources {
        for (number, table) in source.tables.iter().enumerate() {
            files.extend(files_of(&**table));
            timed.extend(sinks(&table_id(&source.name, number), &**table));
        }
        if let BadRows::Quarantine(path) = source.options.bad_row_policy() {
            quarantines.push(path);
        }
    }
    Outputs { files, quarantines, sinks: timed }
}

fn offsets(source: &SourcePlan, found: Option<&Found>) -> std::result::Result<(Offsets, Option<Vec<u8>>), BoxError> {
    let mut recorded = found.iter().flat_map(|found| &found.checkpoint.offsets);
    let Some((name, offset)) = recorded.find(|(name, _)| **name == *source.name) else {
        return Ok((Offsets::default(), None));
    };
    let ty = source.offset_type;
    let decoded = guarded("the reading of its offset", || ty.resume(offset))
        .map_err(|kind| Error::connector(&source.name, kind))?;
    let resumed = decoded.map_err(|error| -> BoxError {
        format!("the offset of source `{name}` cannot be read as `{}`: {error}\nhelp: {AS_BEFORE}", ty.name).into()
    })?;
    Ok((resumed, Some(offset.clone())))
}
