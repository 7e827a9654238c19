//! [`Stuck`]: a sink that takes nothing.

use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::run::current;
use crate::run::error::RunResult;
use crate::sink::Sink;

/// A sink that takes no commit until all sources have ended, or until the run has failed.
///
/// It behaves like a database that does not answer: the source waits once its backlog is full. After a stop the source
/// must still end. Then the sink takes all commits, so that the run ends.
///
/// Attach it with [`Harness::sink`](super::Harness::sink), which also stops the run when the source waits for the sink.
/// You can also attach it in any other pipeline; the test must then stop the run itself.
///
/// ```
/// use pathway_io::testing::{Harness, Stuck};
/// use pathway_io::{RunResult, Schema, Subject, connector};
///
/// #[derive(Schema)]
/// struct Line { n: u64 }
///
/// struct Lines;
///
/// #[connector]
/// impl Lines {
///     fn run(&mut self, lines: Subject<Line, u64>) -> RunResult {
///         for n in lines.resume().unwrap_or(0).. {
///             lines.next_at(n + 1, Line { n })?;
///         }
///         Ok(())
///     }
/// }
///
/// let report = Harness::new(Lines).resume_at(7_u64).stop_after_rows(10).sink(Stuck).run();
/// assert!(report.rows().count() >= 10);
/// assert_eq!(report.on_stops(), 1);
/// assert!(report.result().is_ok());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stuck;

impl<S: Schema> Sink<S> for Stuck {
    fn write(&mut self, _: &Commit<S>) -> RunResult {
        // Without a run there is nothing to wait for. If a source does not end in time, the run reports that.
        if let Some(run) = current::run() {
            run.wait(|run| run.sources_have_ended() || !run.failures.is_empty(), |_| None);
        }
        Ok(())
    }
}
