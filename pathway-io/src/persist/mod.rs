//! Persistent pipelines: what survives the process, and how it is found again. `docs/durability.md` tells it in one page.
//!
//! | module | what it does |
//! |---|---|
//! | `directory` | the state directory and its lock |
//! | `frame`, `record`, `rows` | how the log is cut into frames, and what these say |
//! | `log` | writes the log |
//! | `entry` | what the sequencer hands over |
//! | `checkpointer` | the thread that makes commits durable |
//! | `recover` | reads the log, and checks that the pipeline fits |

pub(crate) mod checkpointer;
pub(crate) mod directory;
mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod log;
pub(crate) mod prepare;
mod record;
pub(crate) mod recover;

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use crate::pipeline::any_table::Place;
use crate::rows::schema::Schema;
use crate::sequencer::Outlet;
use crate::sequencer::journal::Results;
use crate::sink::file::Persisted;
use crate::sink::{Ask, Progress};
use record::Checkpoint;

/// When the commits of a [persistent](crate::Pipeline::persistent) pipeline become durable: how much a power cut may cost.
/// A kill of the process alone is survived under each, with every row written once.
///
/// ```no_run
/// use std::time::Duration;
/// use pathway_io::{Durability, Pipeline};
///
/// let pipeline = Pipeline::persistent("state")?;
/// pipeline.durability(Durability::Interval(Duration::from_millis(100)));
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Each commit is made durable as soon as it can be; those that come meanwhile share the next checkpoint. This is
    /// the default.
    #[default]
    EveryCommit,
    /// A checkpoint each so often: a power cut costs at most the commits of that time, which the sources read again.
    Interval(Duration),
    /// As `EveryCommit`, but nothing is synced: what a power cut leaves is up to the operating system, and a state that is
    /// damaged by it is refused at the next start.
    NoSync,
}

impl Durability {
    pub(crate) fn syncs(self) -> bool {
        self != Durability::NoSync
    }
}

/// What a pipeline starts from, as its tables see it.
#[doc(hidden)]
pub struct Start {
    pub(crate) found: Option<Checkpoint>,
    pub(crate) sync: bool,
    /// Of each computed table that has sinks which keep their own time, what it is called, and its number in the log.
    #[cfg_attr(not(feature = "dataflow"), expect(dead_code, reason = "no table is computed"))]
    pub(crate) computed: Vec<Option<(String, u32)>>,
    /// Where their results go.
    #[cfg_attr(not(feature = "dataflow"), expect(dead_code, reason = "no table is computed"))]
    pub(crate) results: Sender<Results>,
}

impl Start {
    /// The time of the checkpoint; 0 before the first.
    pub(crate) fn time(&self) -> u64 {
        self.found.as_ref().map_or(0, |found| found.time)
    }

    /// The place of a table of a source.
    pub(crate) fn place_of(self: &Arc<Self>, source: &str, table: usize) -> Place {
        Place {
            start: Arc::clone(self),
            id: table_id(source, table),
            #[cfg(feature = "dataflow")]
            results: None,
        }
    }

    /// The place of a computed table, by its number among those.
    #[cfg(feature = "dataflow")]
    pub(crate) fn place_of_computed(self: &Arc<Self>, number: usize) -> Place {
        let (id, results) = self.computed[number].clone().unzip();
        Place { start: Arc::clone(self), id: id.unwrap_or_default(), results }
    }

    /// How a file is gone on with.
    pub(crate) fn persisted(&self, path: &str) -> Persisted {
        let files = self.found.iter().flat_map(|found| &found.files);
        let len = files.clone().find(|file| file.path == path).map(|file| file.len);
        Persisted { len, sync: self.sync }
    }

    /// How far it is known of a sink that keeps its own time.
    pub(crate) fn sink_time(&self, id: &str) -> u64 {
        let mut sinks = self.found.iter().flat_map(|found| &found.sinks);
        sinks.find(|sink| sink.name == id).map_or(0, |sink| sink.time)
    }
}

/// What a table of a source is called in a checkpoint.
pub(crate) fn table_id(source: &str, table: usize) -> String {
    format!("{source}/{table}")
}

/// The same of a computed table: its number is among those of one name. No source can have a table of that name.
pub(crate) fn computed_id(name: &str, number: usize) -> String {
    format!("{name}/{number}/computed")
}

/// What a sink that keeps its own time is called in a checkpoint.
pub(crate) fn sink_id(table: &str, number: usize) -> String {
    format!("{table}/{number}")
}

/// Answers at once: what was asked for was handed on before.
#[cfg(feature = "dataflow")]
struct HandedOn;

#[cfg(feature = "dataflow")]
impl Ask for HandedOn {
    fn ask_for(&self, _time: u64, reply: Sender<u64>) {
        // The checkpointer may have given up.
        let _ = reply.send(0);
    }
}

/// A sink, as far as the checkpointer has to do with it.
#[doc(hidden)]
pub struct AskedSink {
    pub(crate) kind: AskedKind,
    pub(crate) ask: Arc<dyn Ask>,
    pub(crate) progress: Arc<Progress>,
}

pub(crate) enum AskedKind {
    File {
        path: String,
    },
    /// It keeps nothing, but has to have been handed what becomes durable.
    Plain,
    Timed {
        id: String,
    },
}

impl AskedSink {
    pub(crate) fn new<S: Schema>(
        kind: AskedKind,
        outlet: &Outlet<S>,
        route: &dyn Fn(Arc<dyn Ask>) -> Arc<dyn Ask>,
    ) -> Self {
        AskedSink { kind, ask: route(Arc::new(outlet.told.clone())), progress: Arc::clone(&outlet.progress) }
    }

    /// In place of the sinks behind a computed table that keep their own time: that its results were handed on.
    #[cfg(feature = "dataflow")]
    pub(crate) fn results(route: &dyn Fn(Arc<dyn Ask>) -> Arc<dyn Ask>) -> Self {
        AskedSink { kind: AskedKind::Plain, ask: route(Arc::new(HandedOn)), progress: Arc::default() }
    }
}
