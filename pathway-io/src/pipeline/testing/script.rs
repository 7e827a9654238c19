//! [`script`]: a source that follows the steps of a test.

use std::time::Duration;

use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::RunResult;
use crate::source::connector::Connector;
use crate::source::options::ReadOptions;
use crate::source::subject::Subject;

/// A step of a [`script`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Step<S> {
    /// Pushes a row.
    Push(S),
    /// Commits the rows that were pushed.
    Commit,
    /// Sets the offset of the rows that were pushed.
    Offset(u64),
    /// Sleeps. A test with a [`Clock`](super::Clock) does not wait for it.
    Pause(Duration),
    /// Fails with that error.
    Fail(&'static str),
    /// Panics.
    Panic,
    /// Ends `run` with `Ok`, as the end of the script does.
    End,
}

/// Returns a source that takes the steps one after the other, for tests of sinks and computations.
///
/// Its offset type is `u64`. When it is run again after a failure, it continues after the step that failed.
///
/// ```
/// use pathway_io::Schema;
/// use pathway_io::testing::{Harness, Step::{Commit, Fail, Push}, script};
///
/// #[derive(Schema, Clone)]
/// struct Tick { n: u64 }
///
/// let report = Harness::new(script([Push(Tick { n: 1 }), Commit, Push(Tick { n: 2 }), Fail("gone")])).run();
/// assert_eq!(report.commits()[0].len(), 1);
/// assert!(report.result().unwrap_err().to_string().contains("gone"));
/// ```
pub fn script<S: Schema + Send>(steps: impl IntoIterator<Item = Step<S>>) -> impl Connector<Tables = Table<S>> {
    Script(steps.into_iter().collect::<Vec<_>>().into_iter())
}

struct Script<S>(std::vec::IntoIter<Step<S>>);

impl<S: Schema + Send> Connector for Script<S> {
    type Subjects = Subject<S, u64>;
    type Tables = Table<S>;

    fn options() -> ReadOptions {
        ReadOptions::new().name("script")
    }

    fn run(&mut self, rows: Subject<S, u64>) -> RunResult {
        for step in &mut self.0 {
            match step {
                Step::Push(row) => rows.next(row)?,
                Step::Commit => rows.commit()?,
                Step::Offset(offset) => rows.advance(offset)?,
                Step::Pause(duration) => rows.sleep(duration)?,
                Step::Fail(error) => return Err(error.into()),
                Step::Panic => panic!("as the script says"),
                Step::End => break,
            }
        }
        Ok(())
    }
}
