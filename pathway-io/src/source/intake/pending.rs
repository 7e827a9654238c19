//! The rows of all tables of a source that will be one commit ([`Pending`]), and their amount ([`Amount`]).
//!
//! The tables of a source have different row types, so the batches of each table are type-erased, and the index of the
//! table identifies the type. If a source sets offsets, the rows after the last one are the *tail*. They wait for the
//! next offset, and a cut takes only the rows before them.

use std::any::Any;
use std::sync::Arc;

use crate::rows::batch::{Batch, Batches, Pool};
use crate::rows::schema::Schema;

/// A type-erased `Pool<S>`, so that a `Subject<S>` needs no bound on `S`.
pub(crate) type AnyPool = Arc<dyn Any + Send + Sync>;

/// The panic message of a failed downcast, which cannot happen: a subject is made for the index of its table.
const OWN_TYPE: &str = "a table's index belongs to its row type";

/// The maximum number of rows that are pushed under one lock. They take about ten microseconds, so that a commit of
/// another thread need not wait longer.
const LOCKED_ROWS: usize = 256;

/// An amount of rows, in both measures of the backlog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

impl Amount {
    pub(crate) const MAX: Amount = Amount { rows: usize::MAX, bytes: usize::MAX };

    pub(crate) fn is_zero(self) -> bool {
        self.rows == 0
    }

    pub(crate) fn plus(self, other: Amount) -> Amount {
        Amount { rows: self.rows + other.rows, bytes: self.bytes.saturating_add(other.bytes) }
    }

    pub(crate) fn minus(self, other: Amount) -> Amount {
        Amount { rows: self.rows - other.rows, bytes: self.bytes.saturating_sub(other.bytes) }
    }

    pub(crate) fn fits(self, limit: Amount) -> bool {
        self.rows <= limit.rows && self.bytes <= limit.bytes
    }

    pub(crate) fn reaches(self, limit: Amount) -> bool {
        self.rows >= limit.rows || self.bytes >= limit.bytes
    }
}

/// The type-erased batches of one table.
trait AnyBatches: Any + Send {
    fn append(&mut self, other: Box<dyn AnyBatches>);
    fn has_rows(&self) -> bool;
    /// Returns a `Vec<Batch<S>>`, if there are rows.
    fn take(&mut self) -> Option<Box<dyn Any + Send>>;
    fn mark(&mut self);
    /// Returns the rows before the mark, if there are any.
    fn take_marked(&mut self) -> Option<Box<dyn Any + Send>>;
    fn drop_unmarked(&mut self);
    fn repair(&mut self);
}

impl<S: Schema> AnyBatches for Batches<S> {
    fn append(&mut self, other: Box<dyn AnyBatches>) {
        if let Ok(other) = (other as Box<dyn Any>).downcast::<Batches<S>>() {
            Batches::append(self, *other);
        }
    }

    fn has_rows(&self) -> bool {
        !self.is_empty()
    }

    fn take(&mut self) -> Option<Box<dyn Any + Send>> {
        if self.is_empty() { None } else { Some(Box::new(Batches::take(self))) }
    }

    fn mark(&mut self) {
        Batches::mark(self);
    }

    fn take_marked(&mut self) -> Option<Box<dyn Any + Send>> {
        let marked = Batches::take_marked(self);
        if marked.is_empty() { None } else { Some(Box::new(marked)) }
    }

    fn drop_unmarked(&mut self) {
        Batches::drop_unmarked(self);
    }

    fn repair(&mut self) {
        Batches::repair(self);
    }
}

/// Rows of all tables of a source that will be one commit.
#[derive(Default)]
pub(crate) struct Pending {
    tables: Vec<Option<Box<dyn AnyBatches>>>,
    pub(crate) load: Amount,
    /// The load before the tail; `None` without a tail.
    before_tail: Option<Amount>,
    bad: BadLines,
    /// Whether the rows replace a whole table: [`Pending::start_table`].
    pub(crate) replaces: bool,
    /// For an open transaction: the number of offsets that were set before its last row.
    pub(crate) offsets_before: Option<u64>,
}

/// Lines of bad rows, which become durable with the rows around them.
#[derive(Default)]
pub(crate) struct BadLines {
    pub(crate) text: Vec<u8>,
    /// The part of the load that does not consist of rows: the lines, and the starts of whole tables.
    pub(crate) rows: usize,
    /// The part before the tail, if there is a tail.
    mark: (usize, usize),
}

impl BadLines {
    fn split_off_tail(&mut self) -> BadLines {
        let (text, rows) = std::mem::take(&mut self.mark);
        let tail = BadLines { text: self.text.split_off(text), rows: self.rows - rows, mark: (0, 0) };
        self.rows = rows;
        tail
    }
}

/// The rows and lines that a cut has taken.
pub(crate) struct Taken {
    /// Pairs of a table's index and its `Vec<Batch<S>>`.
    pub(crate) parts: Vec<(usize, Box<dyn Any + Send>)>,
    pub(crate) bad: BadLines,
    /// Whether a table may be whole.
    pub(crate) replaces: bool,
}

impl Pending {
    /// Lets `fill` push one row into a table, and counts it if it did.
    #[inline]
    pub(crate) fn push<S: Schema, E>(
        &mut self,
        table: usize,
        pool: &AnyPool,
        fill: impl FnOnce(&mut Batch<S>) -> Result<(), E>,
    ) -> Result<(), E> {
        let batch = batches::<S>(&mut self.tables, table, pool).current();
        let before = batch.bytes();
        fill(batch)?;
        let grown = batch.bytes() - before;
        self.load = self.load.plus(Amount { rows: 1, bytes: grown });
        Ok(())
    }

    /// Lets `rows` push rows into one batch of a table, and counts each in `offered`. Returns `Ok(true)` after `None`,
    /// the error if there is one, and `Ok(false)` if the lock was held long enough, the batch is full or the load
    /// reaches `limit`.
    pub(crate) fn push_all<S: Schema, E>(
        &mut self,
        table: usize,
        pool: &AnyPool,
        limit: Amount,
        offered: &mut u64,
        rows: &mut impl FnMut(&mut Batch<S>) -> Option<Result<(), E>>,
    ) -> Result<bool, E> {
        let batch = batches::<S>(&mut self.tables, table, pool).current();
        for _ in 0..LOCKED_ROWS {
            let before = batch.bytes();
            match rows(batch) {
                None => return Ok(true),
                Some(pushed) => pushed?,
            }
            self.load = self.load.plus(Amount { rows: 1, bytes: batch.bytes() - before });
            *offered += 1;
            if batch.is_full() || self.load.reaches(limit) {
                break;
            }
        }
        Ok(false)
    }

    /// Makes the rows of a table the whole table. This counts as load, so that the start is committed even without
    /// rows, and so that the number of waiting starts is bounded.
    pub(crate) fn start_table<S: Schema>(&mut self, table: usize, pool: &AnyPool) {
        self.replaces = true;
        if batches::<S>(&mut self.tables, table, pool).start_table() {
            self.load = self.load.plus(Amount { rows: 1, bytes: 0 });
            self.bad.rows += 1;
        }
    }

    /// Makes the next row the beginning of a tail, unless there is one.
    #[inline]
    pub(crate) fn begin_tail(&mut self) {
        if self.before_tail.is_none() {
            self.mark();
        }
    }

    fn mark(&mut self) {
        self.before_tail = Some(self.load);
        self.bad.mark = (self.bad.text.len(), self.bad.rows);
        for batches in self.tables.iter_mut().flatten() {
            batches.mark();
        }
    }

    /// Ends the tail, because an offset covers it, too.
    #[inline]
    pub(crate) fn end_tail(&mut self) {
        self.before_tail = None;
    }

    /// Ends a tail without rows, which a push that failed has begun. Returns whether there still is a tail.
    pub(crate) fn has_tail(&mut self) -> bool {
        self.before_tail = self.before_tail.filter(|before| *before != self.load);
        self.before_tail.is_some()
    }

    /// Returns the load before the tail, which a cut takes.
    pub(crate) fn before_tail(&self) -> Amount {
        self.before_tail.unwrap_or(self.load)
    }

    /// Takes the rows of each table that has any before the tail.
    pub(crate) fn take_before_tail(&mut self) -> Taken {
        let Some(before) = self.before_tail else {
            let (bad, replaces) = (std::mem::take(&mut self.bad), std::mem::take(&mut self.replaces));
            return Taken { parts: self.take(), bad, replaces };
        };
        self.load = self.load.minus(before);
        self.before_tail = Some(Amount::default());
        let tail = self.bad.split_off_tail();
        let bad = std::mem::replace(&mut self.bad, tail);
        let tables = self.tables.iter_mut().enumerate();
        let parts = tables.filter_map(|(table, batches)| Some((table, batches.as_mut()?.take_marked()?))).collect();
        // The start of a table may be in the tail.
        Taken { parts, bad, replaces: self.replaces }
    }

    /// Adds the line of a bad row.
    pub(crate) fn push_bad(&mut self, line: &[u8]) {
        self.bad.text.extend_from_slice(line);
        self.bad.rows += 1;
        self.load = self.load.plus(Amount { rows: 1, bytes: line.len() });
    }

    pub(crate) fn drop_tail(&mut self) {
        let Some(before) = self.before_tail.take() else { return };
        for batches in self.tables.iter_mut().flatten() {
            batches.drop_unmarked();
        }
        self.bad.split_off_tail();
        self.load = before;
    }

    /// Appends the rows of `later`.
    pub(crate) fn append(&mut self, later: Pending) {
        self.load = self.load.plus(later.load);
        self.bad.rows += later.bad.rows;
        self.replaces |= later.replaces;
        if self.tables.len() < later.tables.len() {
            self.tables.resize_with(later.tables.len(), || None);
        }
        for (mine, theirs) in self.tables.iter_mut().zip(later.tables) {
            match (mine, theirs) {
                (_, None) => {}
                (Some(mine), Some(theirs)) => mine.append(theirs),
                (mine, theirs) => *mine = theirs,
            }
        }
    }

    /// Takes the rows of each table that has any, and leaves none.
    fn take(&mut self) -> Vec<(usize, Box<dyn Any + Send>)> {
        self.load = Amount::default();
        let tables = self.tables.iter_mut().enumerate();
        tables.filter_map(|(table, batches)| Some((table, batches.as_mut()?.take()?))).collect()
    }

    pub(crate) fn has_rows_of(&self, table: usize) -> bool {
        self.tables.get(table).and_then(Option::as_ref).is_some_and(|batches| batches.has_rows())
    }

    /// Truncates the columns of each table to the same length, after a panic during a push.
    pub(crate) fn repair(&mut self) {
        for batches in self.tables.iter_mut().flatten() {
            batches.repair();
        }
    }
}

/// Returns the batches of a table, and makes them before its first row.
#[inline]
fn batches<'a, S: Schema>(
    tables: &'a mut Vec<Option<Box<dyn AnyBatches>>>,
    table: usize,
    pool: &AnyPool,
) -> &'a mut Batches<S> {
    if tables.len() <= table {
        tables.resize_with(table + 1, || None);
    }
    let any: &mut dyn Any = &mut **tables[table].get_or_insert_with(|| {
        let pool = Arc::clone(pool).downcast::<Pool<S>>().expect(OWN_TYPE);
        Box::new(Batches::new(pool))
    });
    any.downcast_mut().expect(OWN_TYPE)
}
