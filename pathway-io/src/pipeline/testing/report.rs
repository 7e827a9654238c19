//! [`Report`]: the events of a run of a [`Harness`](super::Harness).

use std::any::{Any, type_name};
use std::fmt;
use std::marker::PhantomData;

use super::memory::KeptOffsets;
#[cfg(feature = "persist")]
use super::rows::{Pushed, pushed};
use crate::rows::commit::{Commit, Update};
#[cfg(feature = "persist")]
use crate::rows::description::TableSchema;
use crate::rows::schema::Schema;
use crate::run::error::{Error, Result};
use crate::run::summary::Summary;
use crate::source::offset::{AnyOffset, Offset};

/// The events of a run that a [`Harness`](super::Harness) has recorded. `S` is the row type of the table, or a tuple of
/// the row types of all tables.
pub struct Report<S> {
    pub(super) tables: Vec<Box<dyn Recorded>>,
    pub(super) rows: PhantomData<fn() -> S>,
    pub(super) kept: KeptOffsets,
    pub(super) on_stops: usize,
    pub(super) refusals: u64,
    pub(super) bad_rows: u64,
    /// The number of rows that were pushed into transactions and not committed.
    pub(super) uncommitted: u64,
    /// Whether `run` has returned within the grace period.
    pub(super) returned: bool,
    pub(crate) result: Result<Summary>,
}

/// The commits of one table.
pub(super) trait Recorded: Any + fmt::Debug + Send {
    #[cfg(feature = "persist")]
    fn schema(&self) -> &'static TableSchema;
    /// Returns the pushes in order, each with the time of its commit.
    #[cfg(feature = "persist")]
    fn pushes(&self) -> Vec<(u64, Pushed)>;
}

impl<S: Schema> Recorded for Vec<Commit<S>> {
    #[cfg(feature = "persist")]
    fn schema(&self) -> &'static TableSchema {
        S::SCHEMA
    }

    #[cfg(feature = "persist")]
    fn pushes(&self) -> Vec<(u64, Pushed)> {
        self.iter().flat_map(|commit| pushed(commit).into_iter().map(|push| (commit.time(), push))).collect()
    }
}

impl<S> fmt::Debug for Report<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { tables, result, .. } = self;
        f.debug_struct("Report").field("tables", tables).field("result", result).finish_non_exhaustive()
    }
}

impl<S: Schema> Report<S> {
    /// Returns all updates, in order.
    pub fn rows(&self) -> impl Iterator<Item = Update<S>> + '_ {
        self.commits().iter().flat_map(Commit::iter)
    }

    /// Returns the commits, in order.
    #[must_use]
    pub fn commits(&self) -> &[Commit<S>] {
        self.commits_of(0)
    }
}

impl<S> Report<S> {
    /// Returns the commits of one of several tables, in order. Tables are numbered from 0, in the order of the
    /// subjects.
    ///
    /// # Panics
    ///
    /// Panics if the connector has fewer tables, or if the rows of this table have another type.
    ///
    /// ```
    /// use pathway_io::{RunResult, Schema, Subject, connector, testing::Harness};
    ///
    /// #[derive(Schema)]
    /// struct Author { id: u64 }
    ///
    /// #[derive(Schema)]
    /// struct Post { text: String }
    ///
    /// struct Blog;
    ///
    /// #[connector]
    /// impl Blog {
    ///     fn run(&mut self, authors: Subject<Author>, posts: Subject<Post>) -> RunResult {
    ///         authors.next(Author { id: 1 })?;
    ///         Ok(posts.next(Post { text: "hello".to_owned() })?)
    ///     }
    /// }
    ///
    /// let report = Harness::new(Blog).run();
    /// let posts = report.commits_of::<Post>(1);
    /// assert_eq!(posts[0].iter().next().unwrap().row.text, "hello");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn commits_of<T: Schema>(&self, table: usize) -> &[Commit<T>] {
        let recorded: Option<&dyn Any> = self.tables.get(table).map(|recorded| &**recorded as &dyn Any);
        let commits = recorded.and_then(|recorded| recorded.downcast_ref::<Vec<Commit<T>>>());
        commits.unwrap_or_else(|| panic!("the connector has no table {table} with rows of type `{}`", type_name::<T>()))
    }

    /// Returns the offsets of the commits, in order. Offsets of a different type are omitted.
    #[must_use]
    pub fn offsets<O: Offset>(&self) -> Vec<O> {
        let kept = self.kept.lock();
        let of_type = |offset: &dyn AnyOffset| (offset as &dyn Any).downcast_ref::<O>().cloned();
        kept.iter().filter_map(|(_, offset)| of_type(&**offset)).collect()
    }

    /// Returns the number of calls of `on_stop`.
    #[must_use]
    pub fn on_stops(&self) -> usize {
        self.on_stops
    }

    /// Returns the result of the run.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Pipeline::run`](crate::Pipeline::run).
    pub fn result(&self) -> std::result::Result<&Summary, &Error> {
        self.result.as_ref()
    }
}
