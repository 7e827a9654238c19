//! The [`Commit`] of [`Update`]s, which sinks receive.

use std::fmt;
use std::sync::Arc;

use crate::rows::batch::{Batch, Pool};
use crate::rows::schema::Schema;

/// One change of a table: a row that was added (`diff` 1) or removed (`diff` -1) at a time.
///
/// In a table without a key that is computed, a row can be added or removed several times at once: `diff` is then 2 or
/// -2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Update<S> {
    /// The row.
    pub row: S,
    /// The time of the commit: a logical clock in milliseconds since the Unix epoch.
    pub time: u64,
    /// The number of rows added, or, if negative, removed.
    pub diff: i64,
}

impl<S> Update<S> {
    /// Returns whether the row was added.
    ///
    /// ```
    /// let update = pathway_io::Update { row: "felis", time: 7, diff: -1 };
    /// assert!(!update.is_addition());
    /// ```
    #[must_use]
    pub fn is_addition(&self) -> bool {
        self.diff > 0
    }
}

/// An atomic set of updates of one table. A sink receives each commit whole, in the order of the times.
///
/// A commit is a handle to rows that all sinks share, so a clone costs a reference count. [`iter`](Commit::iter)
/// builds the rows.
pub struct Commit<S: Schema> {
    time: u64,
    rows: Arc<CommitRows<S>>,
}

/// The rows of a commit. When the last sink drops them, their buffers return to the pool.
struct CommitRows<S: Schema> {
    batches: Vec<Batch<S>>,
    len: usize,
    pool: Arc<Pool<S>>,
}

impl<S: Schema> Drop for CommitRows<S> {
    fn drop(&mut self) {
        for batch in self.batches.drain(..) {
            self.pool.put(batch);
        }
    }
}

impl<S: Schema> Commit<S> {
    pub(crate) fn new(time: u64, batches: Vec<Batch<S>>, pool: Arc<Pool<S>>) -> Self {
        let len = batches.iter().map(Batch::len).sum();
        Commit { time, rows: Arc::new(CommitRows { batches, len, pool }) }
    }

    /// Returns the time of all its updates: a logical clock in milliseconds since the Unix epoch, greater than the time
    /// of every earlier commit.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Returns the number of updates, which is at least one.
    ///
    /// Only a transactional sink with [`SinkOptions::refused_rows`](crate::SinkOptions::refused_rows) can receive an
    /// empty commit, if it has refused every update of one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len
    }

    /// Returns whether the commit has no updates. [`len`](Self::len) says when this happens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len == 0
    }

    /// Returns the updates in push order. Each call builds the rows again from their columns.
    pub fn iter(&self) -> impl Iterator<Item = Update<S>> + '_ {
        self.rows().map(|(batch, row)| Update { row: batch.row(row), time: self.time, diff: batch.diff(row) })
    }

    /// Returns the same commit with the updates whose numbers `keep` returns true for.
    pub(crate) fn filtered(&self, keep: impl Fn(usize) -> bool) -> Commit<S> {
        let (mut batches, mut update) = (Vec::new(), 0);
        for batch in self.batches() {
            let mut kept = Batch::default();
            for row in 0..batch.len() {
                if keep(update) {
                    kept.push_from(&batch.columns, row, batch.diff(row));
                }
                update += 1;
            }
            if kept.len() > 0 {
                batches.push(kept);
            }
        }
        Commit::new(self.time, batches, Pool::new())
    }

    /// Returns the rows, each as its batch and its index there.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&Batch<S>, usize)> {
        self.batches().iter().flat_map(|batch| (0..batch.len()).map(move |row| (batch, row)))
    }

    pub(crate) fn batches(&self) -> &[Batch<S>] {
        &self.rows.batches
    }
}

impl<S: Schema> Clone for Commit<S> {
    fn clone(&self) -> Self {
        Commit { time: self.time, rows: Arc::clone(&self.rows) }
    }
}

impl<S: Schema> fmt::Debug for Commit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commit").field("time", &self.time).field("len", &self.len()).finish_non_exhaustive()
    }
}
