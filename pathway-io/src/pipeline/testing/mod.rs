//! Testing sources: [`collect`], [`Harness`], [`Stuck`], [`script`], [`Clock`], `connector_tests!` and `sink_tests!`.
//! With the feature `dataflow`, `compute` tests a computation.

mod clock;
mod harness;
#[cfg(feature = "persist")]
pub(crate) mod kit;
mod memory;
mod recorder;
mod report;
#[cfg(feature = "persist")]
mod rows;
mod script;
mod stuck;
mod tables;

pub use self::clock::Clock;
pub use self::harness::Harness;
#[cfg(feature = "persist")]
pub use self::kit::every_column::EveryColumn;
pub use self::report::Report;
pub use self::script::{Step, script};
pub use self::stuck::Stuck;
pub use self::tables::TestedTables;
use crate::rows::commit::Update;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::Result;
use crate::source::connector::Connector;

/// Runs a source with one table to its end and returns all updates of the table. It does not handle signals.
///
/// # Errors
///
/// Returns the errors of [`Pipeline::run`](crate::Pipeline::run). A run that has not ended after 60 s is stopped and
/// fails. Use a [`Harness`] with a longer [`deadline`](Harness::deadline) for a source that takes longer.
///
/// ```
/// use pathway_io::{connector, testing, Schema, Subject};
///
/// #[derive(Schema)]
/// struct Cat { key: i64, #[schema(default)] genus: String }
///
/// struct OneCat;
///
/// #[connector]
/// impl OneCat {
///     fn run(&mut self, cats: Subject<Cat>) -> pathway_io::RunResult {
///         cats.next_json(r#"{"key": 1}"#)?;
///         Ok(())
///     }
/// }
///
/// let updates = testing::collect(OneCat)?;
/// assert_eq!((updates[0].row.key, updates[0].diff), (1, 1));
/// # Ok::<(), pathway_io::Error>(())
/// ```
pub fn collect<C, S>(source: C) -> Result<Vec<Update<S>>>
where
    C: Connector<Tables = Table<S>>,
    S: Schema + Send,
{
    let report = Harness::new(source).run();
    let updates = report.rows().collect();
    report.result.map(|_| updates)
}
