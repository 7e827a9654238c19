//! Where updates go: the [`Sink`] trait, and what the runtime keeps of each sink.

pub(crate) mod attach;
mod callback;
mod channel;
pub mod csv;
pub(crate) mod file;
pub mod jsonlines;
pub(crate) mod options;
pub(crate) mod outlet;
pub(crate) mod part;
pub(crate) mod resume;
mod retry;
pub(crate) mod spec;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub(crate) mod start;
pub(crate) mod thread;

use crate::rows::commit::Commit;
use crate::rows::schema::{Schema, TableSchema};
use crate::run::error::RunResult;

/// A destination of a table's updates. Each sink runs on a thread of its own and sees every commit whole, in the order
/// of the times.
///
/// An error or a panic in any method fails the pipeline; the sink is then dropped without further calls.
/// [`SinkOptions::retry`](crate::SinkOptions::retry) tries it again after an error.
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
    /// With [`SinkOptions::retry`](crate::SinkOptions::retry) it is also called after an error: the commits since the last
    /// flush that are later than the returned time are written again. What was not flushed before must then be undone.
    ///
    /// # Errors
    ///
    /// An error keeps the pipeline from starting, or is a further failure of a sink that is tried again.
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
