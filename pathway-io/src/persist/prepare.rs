//! The start of a persistent pipeline: all that can be refused is refused here, before any thread runs and before any
//! file is touched.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use serde_json::Value;

use super::checkpointer::{self, FirstLog, PersistedSource, Quarantine};
use super::directory::StateDirectory;
use super::record::{DerivedShape, Shapes, SourceShape};
use super::recover::{self, Found, Outputs};
use super::{AskedSink, Durability, Start, computed_id, record, sink_id, table_id};
use crate::pipeline::SourcePlan;
use crate::pipeline::any_table::AnyTable;
use crate::pipeline::supervisor::State;
use crate::pipeline::workers::Workers;
use crate::run::control::Control;
use crate::run::error::{BoxError, Error, Result};
use crate::sequencer::Message;
use crate::sequencer::journal::{Handed, Results};
use crate::sequencer::upsert;
use crate::sink::file::OutputFile;
use crate::sink::file::storage::Disk;
use crate::source::intake::Cuts;
use crate::source::offset::Offsets;
use crate::source::options::{BadRows, ReadOptions};
use crate::source::shared::Source;

/// What a persistent pipeline starts from.
pub(crate) struct Prepared {
    directory: Arc<StateDirectory>,
    durability: Durability,
    pub(crate) start: Arc<Start>,
    /// Of computed tables, for sinks that are handed them once they are durable.
    results: Receiver<Results>,
    header: Value,
    /// The offsets of each source, as it resumes them and as the checkpoint has them.
    offsets: Vec<(Offsets, Option<Vec<u8>>)>,
    first_tables: Vec<u32>,
    found: Option<(u64, u64, u64)>,
}

impl Prepared {
    /// Checks the sources against the directory, and reads their tables back.
    pub(crate) fn new(
        directory: Arc<StateDirectory>,
        durability: Durability,
        sources: &[SourcePlan],
        derived: &[Arc<dyn AnyTable>],
        workers: &Workers,
    ) -> Result<Self> {
        for source in sources {
            check_source(source).map_err(Error::pipeline)?;
        }
        let path = directory.path().to_owned();
        Self::recover(directory, durability, sources, derived, workers)
            .map_err(|error| Error::pipeline(format!("cannot go on from the state in `{}`: {error}", path.display())))
    }

    fn recover(
        directory: Arc<StateDirectory>,
        durability: Durability,
        sources: &[SourcePlan],
        derived: &[Arc<dyn AnyTable>],
        workers: &Workers,
    ) -> std::result::Result<Self, BoxError> {
        let source = |source: &SourcePlan| SourceShape {
            name: source.name.to_string(),
            tables: source.tables.iter().map(|table| (table.schema(), table.keep_rows())).collect(),
        };
        let ids = computed_ids(derived);
        let written = |(table, id): (&Arc<dyn AnyTable>, &Option<String>)| DerivedShape {
            table: table.schema(),
            files: table.files(workers).iter().map(|path| path.display().to_string()).collect(),
            sinks: id.iter().flat_map(|id| sinks(id, &**table)).collect(),
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
        let log = found.as_ref().map(|found| (found.generation, found.end, found.begun));
        let numbers = record::computed_tables(&header, &shapes.derived);
        // Bounded by the backlogs of the sources: each commit holds credit until its results were taken.
        let (give, results) = unbounded();
        let start = Arc::new(Start {
            found: found.map(|found| found.checkpoint),
            sync: durability.syncs(),
            computed: ids.into_iter().zip(numbers).map(|(id, number)| id.zip(number)).collect(),
            results: give,
        });
        Ok(Prepared { directory, durability, start, results, header, offsets, first_tables, found: log })
    }

    /// The offsets that a source resumes from.
    pub(crate) fn take_offsets(&mut self, source: usize) -> Offsets {
        std::mem::take(&mut self.offsets[source].0)
    }

    fn first_log(&self) -> FirstLog {
        match self.found {
            None => FirstLog::New,
            Some((generation, end, begun)) => FirstLog::Found { generation, end, begun },
        }
    }

    /// The way to the checkpointer, and what its thread is started with.
    pub(crate) fn checkpointer(
        self,
        sources: Vec<PersistedSource>,
        sinks: Vec<(Option<(usize, usize)>, AskedSink)>,
        messages: &Sender<Message>,
        control: &Arc<Control>,
    ) -> (Sender<Handed>, State) {
        // Bounded by the backlogs of the sources: each entry holds credit.
        let (entries, received) = unbounded();
        let plan = checkpointer::Plan {
            directory: Arc::clone(&self.directory),
            storage: Disk::shared(),
            durability: self.durability,
            first_log: self.first_log(),
            time: self.start.time(),
            header: self.header,
            sources,
            sinks,
            entries: received,
            results: self.results,
            messages: messages.clone(),
            control: Arc::clone(control),
        };
        (entries, State { checkpointer: Some(plan), directory: self.directory })
    }

    /// A source, as the checkpointer has it.
    pub(crate) fn source(&mut self, index: usize, source: &Arc<Source>, bad_rows: BadRows) -> PersistedSource {
        let quarantine = match bad_rows {
            BadRows::Quarantine(path) => {
                let name = path.display().to_string();
                let mut file = OutputFile::new(&path);
                file.persist(self.start.persisted(&name));
                Some(Quarantine { path: name, file, durable: 0 })
            }
            BadRows::Fail | BadRows::Skip => None,
        };
        PersistedSource {
            source: Arc::clone(source),
            first_table: self.first_tables[index],
            offset: self.offsets[index].1.take(),
            quarantine,
        }
    }
}

/// Where the rows of a source of a persistent pipeline may be cut.
pub(crate) fn cuts(options: &ReadOptions) -> Cuts {
    if options.is_full_snapshot() { Cuts::AtEnd } else { Cuts::AtOffsets }
}

/// What cannot be persistent yet: several processes, and the parts of a source, whose rows are put together elsewhere.
pub(crate) fn check_workers(workers: &Workers, in_parts: bool) -> Result<()> {
    if workers.processes() > 1 {
        return Err(Error::pipeline("cannot be persistent in several processes yet"));
    }
    if in_parts && workers.threads > 1 {
        return Err(Error::pipeline("cannot be persistent yet where a source is read in several parts"));
    }
    Ok(())
}

fn check_source(source: &SourcePlan) -> std::result::Result<(), String> {
    let name = &source.name;
    match source.options.given_name() {
        None => Err(format!(
            "source `{name}` has no name of its own, by which a restart finds it again: \
             give it one with `#[connector(name = \"..\")]` or `ReadOptions::name`"
        )),
        Some(given) if *given != **name => {
            Err(format!("two sources are named `{given}`, and a restart could not tell them apart"))
        }
        Some(_) => check_offsets(source),
    }
}

fn check_offsets(source: &SourcePlan) -> std::result::Result<(), String> {
    let name = &source.name;
    match (source.options.is_full_snapshot(), source.offset_type.is_unit) {
        (false, false) => Ok(()),
        (false, true) => Err(format!(
            "source `{name}` has no offsets, so that a restart could not tell where it goes on: give its subjects an \
             offset type, as in `Subject<Row, u64>`, or declare with `ReadOptions::full_snapshot` that it sends its whole table \
             each time"
        )),
        (true, false) => Err(format!(
            "source `{name}` has offsets and declares `full_snapshot`: it either goes on from an offset or sends its whole table \
             each time"
        )),
        (true, true) => match source.tables.iter().find(|table| !upsert::applies_to(table.schema())) {
            None => Ok(()),
            Some(table) => Err(format!(
                "source `{name}` declares `full_snapshot`, and its table `{}` has no primary key by which rows could be \
                     compared, or is append-only",
                table.schema().name
            )),
        },
    }
}

/// What the computed tables are called, as far as they have sinks that keep their own time.
fn computed_ids(derived: &[Arc<dyn AnyTable>]) -> Vec<Option<String>> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let id = |table: &Arc<dyn AnyTable>| {
        if table.timed_sinks().is_empty() {
            return None;
        }
        let name = table.schema().name;
        let number = seen.entry(name).or_default();
        *number += 1;
        Some(computed_id(name, *number - 1))
    };
    derived.iter().map(id).collect()
}

/// The sinks of a table that keep their own time.
fn sinks(table_id: &str, table: &dyn AnyTable) -> impl Iterator<Item = String> {
    (0..table.timed_sinks().len()).map(move |sink| sink_id(table_id, sink))
}

fn outputs(sources: &[SourcePlan], derived: &[Arc<dyn AnyTable>], shapes: &Shapes, workers: &Workers) -> Outputs {
    let mut files: Vec<PathBuf> = derived.iter().flat_map(|table| table.files(workers)).collect();
    let mut timed: Vec<String> = shapes.derived.iter().flat_map(|derived| derived.sinks.clone()).collect();
    for source in sources {
        for (number, table) in source.tables.iter().enumerate() {
            files.extend(table.files(workers));
            timed.extend(sinks(&table_id(&source.name, number), &**table));
        }
        if let BadRows::Quarantine(path) = source.options.bad_row_policy() {
            files.push(path);
        }
    }
    Outputs { files, sinks: timed }
}

fn offsets(source: &SourcePlan, found: Option<&Found>) -> std::result::Result<(Offsets, Option<Vec<u8>>), BoxError> {
    let mut recorded = found.iter().flat_map(|found| &found.checkpoint.offsets);
    let Some((name, offset)) = recorded.find(|(name, _)| **name == *source.name) else {
        return Ok((Offsets::default(), None));
    };
    let ty = source.offset_type;
    let resumed = ty.resume(offset).map_err(|error| -> BoxError {
        format!("the offset of source `{name}` cannot be read as `{}`: {error}", ty.name).into()
    })?;
    Ok((resumed, Some(offset.clone())))
}
