//! Running a source in a test: [`collect`]; and, with the feature `dataflow`, a computation: `compute`.

use std::sync::{Arc, Mutex, PoisonError};

use crate::pipeline::Pipeline;
use crate::rows::commit::Update;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::Result;
use crate::source::connector::Connector;

/// Runs a source with one table to its end and gives all updates of the table. Signals are left alone.
///
/// # Errors
///
/// As [`Pipeline::run`].
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
///     fn run(&mut self, cats: Subject<Cat>) -> pathway_io::Result<()> {
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
    let updates = Arc::new(Mutex::new(Vec::new()));
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    let collected = Arc::clone(&updates);
    pipeline.read(source).subscribe_commits(move |commit| {
        collected.lock().unwrap_or_else(PoisonError::into_inner).extend(commit.iter());
    });
    pipeline.run()?;
    let mut updates = updates.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut updates))
}

/// What a computation makes of a table with these rows: its rows in order, each as often as it is there.
///
/// # Errors
///
/// As [`Pipeline::run`].
///
/// ```
/// use pathway_io::{Schema, testing};
///
/// #[derive(Schema)]
/// #[schema(dataflow)]
/// struct Cat {
///     genus: String,
/// }
///
/// let cats = ["lynx", "felis", "lynx"].map(|genus| Cat { genus: genus.into() });
/// let genera = testing::compute(cats, |cats| cats.distinct())?;
/// assert_eq!(genera, ["felis", "lynx"].map(|genus| Cat { genus: genus.into() }));
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[cfg(feature = "dataflow")]
pub fn compute<S, Out, F>(rows: impl IntoIterator<Item = S>, computation: F) -> Result<Vec<Out>>
where
    S: crate::dataflow::Row + Send,
    Out: crate::dataflow::ResultRow,
    F: for<'scope> Fn(crate::dataflow::Collection<'scope, S>) -> crate::dataflow::Collection<'scope, Out>
        + Send
        + Sync
        + 'static,
{
    let results = Arc::new(Mutex::new(std::collections::BTreeMap::new()));
    let pipeline = Pipeline::new();
    pipeline.handle_signals(false);
    let adding = Arc::clone(&results);
    let table = pipeline.read(Rows(rows.into_iter().collect()));
    table.compute(computation).subscribe_commits(move |commit| {
        let mut results = adding.lock().unwrap_or_else(PoisonError::into_inner);
        for update in commit.iter() {
            *results.entry(update.row).or_insert(0) += update.diff;
        }
    });
    pipeline.run()?;
    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
    let rows = std::mem::take(&mut *results).into_iter();
    Ok(rows.flat_map(|(row, times)| std::iter::repeat_n(row, usize::try_from(times).unwrap_or(0))).collect())
}

/// A source of rows that are there.
#[cfg(feature = "dataflow")]
struct Rows<S>(Vec<S>);

#[cfg(feature = "dataflow")]
impl<S: Schema + Send> Connector for Rows<S> {
    type Subjects = crate::source::subject::Subject<S>;
    type Tables = Table<S>;

    fn run(&mut self, rows: Self::Subjects) -> crate::run::error::RunResult {
        for row in self.0.drain(..) {
            rows.next(row)?;
        }
        Ok(())
    }
}
