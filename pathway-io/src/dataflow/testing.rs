//! Runs a computation in a test: [`compute`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Collection;
use super::row::{ResultRow, Row};
use crate::pipeline::testing::{Harness, Step, script};
use crate::run::error::Result;
use crate::run::lock::Lock;

/// Returns the rows that a computation produces from a table with these rows, in order.
///
/// A row with diff `n` appears `n` times.
///
/// # Errors
///
/// Returns the errors of [`Pipeline::run`](crate::Pipeline::run). A run that has not ended after 60 s is stopped and
/// fails.
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
pub fn compute<S, Out, F>(rows: impl IntoIterator<Item = S>, computation: F) -> Result<Vec<Out>>
where
    S: Row + Send,
    Out: ResultRow,
    F: for<'scope> Fn(Collection<'scope, S>) -> Collection<'scope, Out> + Send + Sync + 'static,
{
    let results = Arc::new(Lock::new(BTreeMap::new()));
    let adding = Arc::clone(&results);
    let source = script(rows.into_iter().map(Step::Push));
    let harness = Harness::new(source).attach(move |table| {
        table.compute(computation).subscribe_commits(move |commit| {
            let mut results = adding.lock();
            for update in commit.iter() {
                *results.entry(update.row).or_insert(0) += update.diff;
            }
        });
    });
    harness.run().result?;
    let mut results = results.lock();
    let rows = std::mem::take(&mut *results).into_iter();
    Ok(rows.flat_map(|(row, times)| std::iter::repeat_n(row, usize::try_from(times).unwrap_or(0))).collect())
}
