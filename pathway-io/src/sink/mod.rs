//! Sinks: the [`Sink`] trait, the threads that run sinks, and the library's own sinks.

pub(crate) mod attach;
mod boxed;
pub mod csv;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database;
pub(crate) mod file;
pub(crate) mod inline;
pub mod jsonlines;
pub(crate) mod options;
pub(crate) mod outlet;
#[cfg(feature = "parquet")]
pub mod parquet;
pub(crate) mod part;
#[cfg(feature = "postgres")]
pub mod postgres;
mod refusals;
pub(crate) mod resume;
mod retry;
pub(crate) mod spec;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub(crate) mod start;
#[cfg(all(test, feature = "infer", feature = "persist"))]
mod tests;
pub(crate) mod thread;

use crate::rows::check::RowCheck;
use crate::rows::commit::Commit;
use crate::rows::description::TableSchema;
use crate::rows::schema::Schema;
use crate::run::error::RunResult;

/// Receives the updates of a table.
///
/// Each sink runs on its own thread, unless it is [inline](crate::SinkOptions::inline), and receives every commit
/// whole, in the order of the times. An error or a panic in any method fails the pipeline; the sink is then dropped
/// without further calls. [`SinkOptions::retry`](crate::SinkOptions::retry) retries it after an error.
///
/// A persistent pipeline delivers each commit *at least once*: after a restart, the sink receives the commits since the
/// last checkpoint again, with other times. A commit is not durable before the sink has written and flushed it, so a
/// slow sink delays the checkpoints. A [transactional](Sink::is_transactional) sink receives each commit exactly once.
///
/// `sink_tests!` tests an implementation. A `Box<dyn Sink<S>>` is a sink, too.
///
/// ```
/// use pathway_io::{connector, Commit, Pipeline, RunResult, Schema, Sink, Subject, TableSchema};
///
/// #[derive(Schema)]
/// struct Line { text: String }
///
/// struct Printer;
///
/// impl Sink<Line> for Printer {
///     fn open(&mut self, schema: &'static TableSchema) -> RunResult {
///         println!("{}", schema.name);
///         Ok(())
///     }
///
///     fn write(&mut self, commit: &Commit<Line>) -> RunResult {
///         for update in commit.iter() {
///             println!("{:+} {}", update.diff, update.row.text);
///         }
///         Ok(())
///     }
///
///     fn flush(&mut self) -> RunResult {
///         Ok(std::io::Write::flush(&mut std::io::stdout())?)
///     }
///
///     fn close(&mut self) -> RunResult {
///         println!("done");
///         Ok(())
///     }
/// }
///
/// # struct Lines;
/// # #[connector]
/// # impl Lines {
/// #     fn run(&mut self, lines: Subject<Line>) -> pathway_io::RunResult { Ok(lines.next(Line { text: "hello".into() })?) }
/// # }
/// let pipeline = Pipeline::new();
/// pipeline.read(Lines).write_to(Printer);
/// pipeline.run()?;
/// # Ok::<(), pathway_io::Error>(())
/// ```
pub trait Sink<S: Schema>: Send {
    /// Opens the sink. It is called once, before any source runs.
    ///
    /// # Errors
    ///
    /// An error keeps the pipeline from starting.
    fn open(&mut self, schema: &'static TableSchema) -> RunResult {
        let _ = schema;
        Ok(())
    }

    /// Writes one commit.
    ///
    /// # Errors
    ///
    /// An error stops the pipeline.
    fn write(&mut self, commit: &Commit<S>) -> RunResult;

    /// Makes the written commits visible.
    ///
    /// It is called after a commit if no other commit is waiting. A persistent pipeline also calls it before a
    /// checkpoint.
    ///
    /// # Errors
    ///
    /// An error stops the pipeline.
    fn flush(&mut self) -> RunResult {
        Ok(())
    }

    /// Returns whether the sink stores the time of its last commit with its rows, and makes both durable together.
    ///
    /// A database sink can do so in one transaction. A persistent pipeline then calls [`recover`](Sink::recover)
    /// instead of [`open`](Sink::open), and delivers each commit exactly once. The pipeline first makes the commit
    /// durable itself, then passes it to the sink, and discards it when `flush` has returned. When `flush` returns, the
    /// rows and the time of the last commit must be durable. No row may ever become durable without its time.
    ///
    /// ```
    /// # use pathway_io::{Commit, RunResult, Schema, Sink, TableSchema};
    /// # struct Database;
    /// # impl Database { fn time(&self) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> { Ok(None) } fn begin(&mut self) {} fn store_time(&mut self, _: u64) {} fn commit(&mut self) {} }
    /// # struct Rows { database: Database, time: u64 }
    /// impl<S: Schema> Sink<S> for Rows {
    ///     fn is_transactional(&self) -> bool {
    ///         true
    ///     }
    ///
    ///     fn recover(&mut self, _: &'static TableSchema) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> {
    ///         self.database.time() // of the last commit in the database
    ///     }
    ///
    ///     fn write(&mut self, commit: &Commit<S>) -> RunResult {
    ///         self.database.begin(); // unless a transaction is open
    ///         // .. write the rows ..
    ///         self.time = commit.time();
    ///         Ok(())
    ///     }
    ///
    ///     fn flush(&mut self) -> RunResult {
    ///         self.database.store_time(self.time);
    ///         self.database.commit();
    ///         Ok(())
    ///     }
    /// }
    /// ```
    fn is_transactional(&self) -> bool {
        false
    }

    /// Opens the output of an earlier run and keeps its rows. Returns the time of the last commit in it, if any.
    ///
    /// A persistent pipeline calls it instead of [`open`](Sink::open) if the sink [is
    /// transactional](Sink::is_transactional). If the time is older than the checkpoint's, the library delivers the
    /// missing commits. If it is newer, the start fails.
    ///
    /// With [`SinkOptions::retry`](crate::SinkOptions::retry), the library also calls it after an error, and then
    /// writes the commits since the last flush that are later than the returned time again. `recover` must then undo
    /// everything that was not flushed.
    ///
    /// # Errors
    ///
    /// An error keeps the pipeline from starting. If the sink is retried, the error counts as a further failure.
    fn recover(
        &mut self,
        schema: &'static TableSchema,
    ) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> {
        self.open(schema)?;
        Ok(None)
    }

    /// Returns a check of rows, if there are rows that the sink can never accept. The method is called once, before the
    /// pipeline starts.
    ///
    /// The library calls the check for each pushed row. A row that it refuses is a bad row, which the source's
    /// [`BadRows`](crate::BadRows) policy handles, and is never committed. Without a check, the row would become
    /// durable in a persistent pipeline, and the sink would refuse it again after each restart. Rows that a computation
    /// produces are not checked.
    ///
    /// ```
    /// # use pathway_io::{Commit, RowCheck, RunResult, Schema, Sink};
    /// # #[derive(Schema)] struct Cat { key: i64, genus: String }
    /// # struct Archive;
    /// impl Sink<Cat> for Archive {
    ///     fn row_check(&self) -> Option<RowCheck<Cat>> {
    ///         Some(RowCheck::new(|cat: &Cat| match cat.genus.len() {
    ///             0..=20 => Ok(()),
    ///             len => Err(format!("column `genus` has {len} bytes, and the archive takes 20")),
    ///         }))
    ///     }
    ///
    ///     fn write(&mut self, commit: &Commit<Cat>) -> RunResult {
    ///         // ..
    /// #       let _ = commit;
    ///         Ok(())
    ///     }
    /// }
    /// ```
    fn row_check(&self) -> Option<RowCheck<S>> {
        None
    }

    /// Closes the sink. It is called once, after the last commit and a flush.
    ///
    /// # Errors
    ///
    /// An error fails the pipeline.
    fn close(&mut self) -> RunResult {
        Ok(())
    }
}
