//! The start of a persistent pipeline. All checks are made here, before any thread runs and before any file is
//! touched.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use serde_json::Value;

use super::checkpointer::{CheckpointPlan, CheckpointerThread, DurableFile, PersistedSource, Quarantine};
use super::directory::StateDirectory;
use super::log::LogPlace;
use super::record::{self, TableShape};
use super::recover::{self, AS_BEFORE, Recovered};
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
use crate::sink::resume::{Resume, path_key};
use crate::sink::start::CheckpointedSink;
use crate::source::offset::Offsets;
use crate::source::shared::Source;

/// The state from which a persistent pipeline starts.
pub(super) struct PreparedState {
    directory: Arc<StateDirectory>,
    durability: Durability,
    resume: Arc<Resume>,
    /// The numbers in the log and the ids of the computed tables that have transactional sinks.
    computed: Vec<Option<(u32, String)>>,
    /// The commits of these tables.
    results: (Sender<ComputedRecord>, Receiver<ComputedRecord>),
    header: Value,
    /// The offsets of each source, in the form that the source resumes from and in the form of the checkpoint.
    offsets: Vec<(Offsets, Option<Vec<u8>>)>,
    first_tables: Vec<u32>,
    found: Option<Recovered>,
    /// The sources that were added so far.
    sources: Vec<PersistedSource>,
}

impl PreparedState {
    /// Checks the sources against the directory, and reads their tables back.
    ///
    /// # Errors
    ///
    /// An [`Error`] that stands alone, or the reason why the state cannot be continued.
    pub(super) fn new(
        directory: Arc<StateDirectory>,
        durability: Durability,
        sources: &[SourcePlan],
        derived: &[Arc<dyn AnyTable>],
        workers: &Workers,
    ) -> std::result::Result<Self, BoxError> {
        check_workers(workers, sources)?;
        for source in sources {
            check_source(source).map_err(Error::pipeline)?;
        }
        let (tables, computed) = shapes(sources, derived, workers);
        let header = record::header(&tables);
        let quarantines: Vec<PathBuf> = sources.iter().filter_map(quarantine).collect();
        let found = recover::find(&directory, &header, &tables, &quarantines)?;
        let offsets = sources
            .iter()
            .map(|source| offsets(source, found.as_ref()))
            .collect::<std::result::Result<Vec<_>, BoxError>>()?;
        if let Some(found) = &found {
            found.restore(&tables)?;
        }
        let number = |id: &str| tables.iter().position(|table| table.id == id).map(|number| number as u32);
        let checkpoint = found.as_ref().map(|found| &found.checkpoint);
        let files = checkpoint.into_iter().flat_map(|checkpoint| &checkpoint.files);
        let resume = Resume {
            checkpoint: checkpoint.map(|checkpoint| checkpoint.time),
            sync: durability.syncs(),
            files: files.map(|file| (file.path.clone(), file.len)).collect(),
            sinks: checkpoint.map(|checkpoint| checkpoint.sinks.clone()).unwrap_or_default(),
        };
        Ok(PreparedState {
            directory,
            durability,
            resume: Arc::new(resume),
            computed: computed.into_iter().map(|id| id.and_then(|id| Some((number(&id)?, id)))).collect(),
            // Bounded by the backlogs of the sources: each commit holds credit until its results were taken.
            results: unbounded(),
            first_tables: sources.iter().map(|source| number(&table_id(&source.name, 0)).unwrap_or(0)).collect(),
            header,
            offsets,
            found,
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
        let (number, id) = self.computed[number].clone().unzip();
        let results = number.map(|number| (number, self.results.0.clone()));
        TableState { resume: Arc::clone(&self.resume), id: id.unwrap_or_default(), results }
    }

    fn take_offsets(&mut self, source: usize) -> Offsets {
        std::mem::take(&mut self.offsets[source].0)
    }

    fn add_source(&mut self, source: &Arc<Source>, bad_rows: BadRows) {
        let quarantine = match bad_rows {
            BadRows::Quarantine(path) => {
                let mut file = OutputFile::new(&path).private();
                file.persist(self.resume.file(&path_key(&path)));
                Some(Quarantine { file, durable: DurableFile::new(&path, true) })
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
        let plan = CheckpointPlan {
            place: LogPlace {
                directory: self.directory.path().to_owned(),
                storage: file_system(),
                sync: self.durability.syncs(),
            },
            directory: Arc::clone(&self.directory),
            durability: self.durability,
            found: self.found,
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

/// Refuses pipelines that cannot be persistent yet: with several processes, or with a source that is read in several
/// partitions.
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
    match (source.options.full_snapshot, source.offset_type.is_unit) {
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

/// Returns the tables in the order of their numbers in the log, which does not depend on the order in the program.
/// Computed tables without an output are not among them. Also returns the ids of the computed tables that have
/// transactional sinks.
fn shapes(
    sources: &[SourcePlan],
    derived: &[Arc<dyn AnyTable>],
    workers: &Workers,
) -> (Vec<TableShape>, Vec<Option<String>>) {
    let shape = |table: &Arc<dyn AnyTable>, id, source: Option<&Arc<str>>, number| TableShape {
        id,
        source: source.cloned(),
        number,
        table: Arc::clone(table),
        kept: source.is_some() && keep_rows(&**table),
        outputs: table.sinks().outputs(workers.numbers()),
        transactional: table.sinks().transactional(),
    };
    let mut tables = Vec::new();
    let mut by_name: Vec<&SourcePlan> = sources.iter().collect();
    by_name.sort_by_key(|source| &source.name);
    for source in by_name {
        let of_source = source.tables.iter().enumerate();
        tables.extend(
            of_source.map(|(number, table)| shape(table, table_id(&source.name, number), Some(&source.name), number)),
        );
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let (mut computed, mut ids) = (Vec::new(), Vec::new());
    for table in derived {
        let name = table.schema().name;
        let number = seen.entry(name).or_default();
        let shape = shape(table, computed_id(name, *number), None, *number);
        ids.push((shape.transactional > 0).then(|| shape.id.clone()));
        if !shape.outputs.is_empty() || shape.transactional > 0 {
            *number += 1;
            computed.push(shape);
        }
    }
    computed.sort_by(|a, b| a.id.cmp(&b.id));
    tables.extend(computed);
    (tables, ids)
}

/// Returns the path of a source's bad rows.
fn quarantine(source: &SourcePlan) -> Option<PathBuf> {
    match source.options.bad_row_policy() {
        BadRows::Quarantine(path) => Some(path),
        BadRows::Fail | BadRows::Skip => None,
    }
}

fn offsets(
    source: &SourcePlan,
    found: Option<&Recovered>,
) -> std::result::Result<(Offsets, Option<Vec<u8>>), BoxError> {
    let (name, ty) = (&source.name, source.offset_type);
    let Some(offset) = found.and_then(|found| found.checkpoint.offsets.get(&**name)) else {
        return Ok((Offsets::default(), None));
    };
    let decoded =
        guarded("the reading of its offset", || ty.resume(offset)).map_err(|kind| Error::connector(name, kind))?;
    let resumed = decoded.map_err(|error| -> BoxError {
        format!("the offset of source `{name}` cannot be read as `{}`: {error}\nhelp: {AS_BEFORE}", ty.name).into()
    })?;
    Ok((resumed, Some(offset.clone())))
}
