//! Where updates go: the [`Sink`] trait, and what the runtime keeps of each sink.

mod callback;
mod channel;
pub mod csv;
pub(crate) mod file;
pub mod jsonlines;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub(crate) mod thread;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::rows::commit::Commit;
use crate::rows::schema::{Schema, TableSchema};
use crate::run::error::RunResult;

pub(crate) use callback::{CommitCallback, UpdateCallback};
pub(crate) use channel::Channel;
use file::{FileSink, OutputFile};

/// A destination of a table's updates. Each sink runs on a thread of its own and sees every commit whole, in the order
/// of the times.
///
/// An error or a panic in any method fails the pipeline; the sink is then dropped without further calls.
///
/// In a persistent pipeline a sink is handed each commit *at least once*: the commits that were on their way when the
/// process died come again after the restart, with other times, and nothing is durable that was not written and flushed
/// here: a sink that is slow holds up the checkpoints. A sink that [keeps their time](Sink::is_transactional) beside
/// its rows is handed each exactly once.
///
/// ```
/// use pathway_io::{connector, Commit, Pipeline, RunResult, Schema, Sink, Subject};
///
/// #[derive(Schema)]
/// struct Line { text: String }
///
/// struct Count(std::sync::mpsc::Sender<usize>);
///
/// impl Sink<Line> for Count {
///     fn write(&mut self, commit: &Commit<Line>) -> RunResult {
///         self.0.send(commit.len())?;
///         Ok(())
///     }
/// }
///
/// struct Lines;
///
/// #[connector]
/// impl Lines {
///     fn run(&mut self, lines: Subject<Line>) -> pathway_io::Result<()> {
///         lines.next(Line { text: "hello".into() })?;
///         Ok(())
///     }
/// }
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let pipeline = Pipeline::new();
/// pipeline.read(Lines).write_to(Count(sender));
/// pipeline.run()?;
/// assert_eq!(receiver.iter().sum::<usize>(), 1);
/// # Ok::<(), pathway_io::Error>(())
/// ```
pub trait Sink<S: Schema>: Send {
    /// Called once, before any source runs.
    ///
    /// # Errors
    ///
    /// An error keeps the pipeline from starting.
    fn open(&mut self, schema: &'static TableSchema) -> RunResult {
        let _ = schema;
        Ok(())
    }

    /// Takes one commit.
    ///
    /// # Errors
    ///
    /// An error stops the pipeline.
    fn write(&mut self, commit: &Commit<S>) -> RunResult;

    /// Called after a commit, unless another is waiting, and in a persistent pipeline before what was written becomes
    /// durable elsewhere: it should become visible now.
    ///
    /// # Errors
    ///
    /// An error stops the pipeline.
    fn flush(&mut self) -> RunResult {
        Ok(())
    }

    /// Whether the sink keeps the time of its last commit beside its rows and makes both durable together, as a database
    /// does in one transaction. A persistent pipeline then calls [`recover`](Sink::recover) in place of
    /// [`open`](Sink::open), and delivers each commit exactly once: first it holds it durably itself, then it hands it to
    /// the sink, and it lets go of it when `flush` has returned. So what was written must be durable, with the time of
    /// the last commit, when `flush` returns, and nothing of it before may outlive its time.
    fn is_transactional(&self) -> bool {
        false
    }

    /// Opens what an earlier run has left, of which nothing may be lost, and says the time of the last commit in it;
    /// `None` if there is none. Called in place of [`open`](Sink::open) in a persistent pipeline, if the sink
    /// [keeps the time](Sink::is_transactional). A time that is older than the checkpoint's is made up for by the commits that
    /// are missing; one that is newer fails the start.
    ///
    /// # Errors
    ///
    /// An error keeps the pipeline from starting.
    fn recover(
        &mut self,
        schema: &'static TableSchema,
    ) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> {
        self.open(schema)?;
        Ok(None)
    }

    /// Called once, after the last commit and a flush.
    ///
    /// # Errors
    ///
    /// An error fails the pipeline.
    fn close(&mut self) -> RunResult {
        Ok(())
    }
}

/// A file that a sink writes, or a part of one: no two sinks may write the same.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) path: PathBuf,
    /// The table, in a database.
    pub(crate) part: Option<String>,
}

impl Target {
    pub(crate) fn file(path: PathBuf) -> Self {
        Target { path, part: None }
    }
}

/// A sink as it is registered with a table.
pub(crate) struct SinkSpec<S: Schema> {
    pub(crate) name: Arc<str>,
    /// What it writes, for sinks that write a file.
    pub(crate) target: Option<Target>,
    pub(crate) sink: AnySink<S>,
}

/// A sink of the user's, or one that writes a file.
pub(crate) enum AnySink<S: Schema> {
    Plain(Box<dyn Sink<S>>),
    File(Box<dyn FileSink<S>>),
}

impl<S: Schema> AnySink<S> {
    pub(crate) fn is_transactional(&self) -> bool {
        match self {
            AnySink::Plain(sink) => sink.is_transactional(),
            AnySink::File(_) => false,
        }
    }

    pub(crate) fn get(&mut self) -> &mut dyn Sink<S> {
        match self {
            AnySink::Plain(sink) => &mut **sink,
            AnySink::File(sink) => &mut **sink,
        }
    }

    pub(crate) fn file(&mut self) -> Option<&mut OutputFile> {
        match self {
            AnySink::Plain(_) => None,
            AnySink::File(sink) => Some(sink.file()),
        }
    }
}

/// What a sink is told.
pub(crate) enum Told<S: Schema> {
    Commit(Delivery<S>),
    /// Make everything up to that time durable, and say how long the file is then.
    Sync {
        time: u64,
        reply: Sender<u64>,
    },
}

/// A commit on its way to one sink.
pub(crate) struct Delivery<S: Schema> {
    pub(crate) commit: Commit<S>,
    /// Dropped with the delivery: the sink has taken the rows. For a source's table it is the commit's
    /// [`Credit`](crate::source::intake::Credit).
    pub(crate) _receipt: Arc<dyn Send + Sync>,
}

/// The end of a sink's channel, with the row type forgotten.
pub(crate) trait Ask: Send + Sync {
    /// Asks for a [`Told::Sync`]. The answer is missing if the sink has failed.
    fn ask(&self, time: u64) -> Receiver<u64> {
        let (reply, answer) = bounded(1);
        self.ask_for(time, reply);
        answer
    }

    fn ask_for(&self, time: u64, reply: Sender<u64>);
}

impl<S: Schema> Ask for Sender<Told<S>> {
    fn ask_for(&self, time: u64, reply: Sender<u64>) {
        // Who is gone does not answer.
        let _ = self.send(Told::Sync { time, reply });
    }
}

/// How far a sink has come, in updates.
#[derive(Default)]
pub(crate) struct Progress {
    queued: AtomicU64,
    taken: AtomicU64,
    commits: AtomicU64,
    /// Everything up to this time is durable in a sink that keeps its own.
    kept: AtomicU64,
    /// It waits for what is to come.
    waiting: AtomicBool,
}

impl Progress {
    pub(crate) fn queued(&self, updates: usize) {
        self.queued.fetch_add(updates as u64, Ordering::Relaxed);
    }

    pub(crate) fn taken(&self, updates: usize) {
        self.taken.fetch_add(updates as u64, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn keep(&self, time: u64) {
        self.kept.fetch_max(time, Ordering::Release);
    }

    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Acquire)
    }

    /// The updates that it has taken, and the commits that they were in.
    #[cfg(feature = "progress")]
    pub(crate) fn done(&self) -> (u64, u64) {
        (self.taken.load(Ordering::Relaxed), self.commits.load(Ordering::Relaxed))
    }

    pub(crate) fn waits(&self, waits: bool) {
        self.waiting.store(waits, Ordering::Relaxed);
    }

    /// Whether it is at work, or is to be: not for want of updates that others are busy with.
    pub(crate) fn is_busy(&self) -> bool {
        !self.waiting.load(Ordering::Relaxed) || self.undelivered() > 0
    }

    /// Updates that were handed to it and not taken.
    pub(crate) fn undelivered(&self) -> u64 {
        let taken = self.taken.load(Ordering::Relaxed);
        self.queued.load(Ordering::Relaxed).saturating_sub(taken)
    }
}
