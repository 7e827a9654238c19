//! A [`Batch`] of rows, and the [`Pool`] to which its buffers return.
//!
//! The main cost of passing rows between threads is memory that one thread allocates and another frees. A batch that
//! every sink has taken therefore returns to its pool, and the next rows are pushed into the same buffers.

mod batches;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub(crate) use self::batches::Batches;
use crate::rows::check::{RowCheck, RowChecks};
use crate::rows::decode::{self, Seen};
use crate::rows::fields::{Columns, Fields};
use crate::rows::path;
use crate::rows::refusal;
use crate::rows::row_writer::RowWriter;
use crate::rows::schema::{ColumnsOf, Keyed, RowOf, Schema, is_key, row_at};
use crate::run::error::row_error::RowError;
use crate::run::lock::Lock;

/// A batch is sealed when it has this many rows, so that buffers stay in the cache and the pool stays small.
const SEAL_ROWS: usize = 4096;
/// A batch is also sealed when it has this many bytes of column data.
const SEAL_BYTES: usize = 256 * 1024;
/// The maximum number of idle batches in a pool: twice the number of full ones in the default backlog.
const POOL_BATCHES: usize = 2 * 65_536 / SEAL_ROWS;
/// A batch that had more column data than this is freed, so that one huge row does not hold its memory forever.
const POOL_BYTES: usize = 2 * SEAL_BYTES;
/// A batch that fills less than this fraction of its buffers is copied when it is committed. Otherwise a few rows in a
/// slow sink's queue would hold memory for thousands.
const SPARSE: usize = 16;

/// Rows of one table in push order.
pub(crate) struct Batch<S: Schema> {
    pub(crate) columns: ColumnsOf<S>,
    /// The multiplicity of each row; empty while all are 1. Before the sequencer, -1 marks a removal, of which only
    /// the key counts.
    diffs: Vec<i64>,
    len: usize,
    /// The bytes of column data in these rows. They are added up once after each row.
    bytes: usize,
    /// Whether the rows after this batch, which has none, are the whole table. Earlier rows are then removed.
    starts_table: bool,
    /// The largest numbers of rows and of bytes that the batch has ever held, including refused rows. They are the
    /// capacity of its buffers.
    peak: (usize, usize),
    /// Temporary state of the JSON decoder.
    seen: Seen,
    /// The checks of rows that are pushed.
    checks: RowChecks<S>,
}

/// A row that was pushed as a struct, and that a sink can never accept.
pub(crate) struct RefusedRow<S> {
    pub(crate) row: S,
    pub(crate) json: Vec<u8>,
    pub(crate) error: RowError,
}

impl<S: Schema> Default for Batch<S> {
    fn default() -> Self {
        Batch {
            columns: ColumnsOf::<S>::default(),
            diffs: Vec::new(),
            len: 0,
            bytes: 0,
            starts_table: false,
            peak: (0, 0),
            seen: Seen::default(),
            checks: None,
        }
    }
}

impl<S: Schema> Batch<S> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns whether the rows after this batch replace the table and all earlier rows of the commit.
    pub(crate) fn starts_table(&self) -> bool {
        self.starts_table
    }

    /// Returns whether every row has the multiplicity 1.
    pub(crate) fn has_only_additions(&self) -> bool {
        self.diffs.iter().all(|diff| *diff == 1)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len >= SEAL_ROWS || self.bytes() >= SEAL_BYTES
    }

    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    #[inline]
    fn count_bytes(&mut self) {
        self.bytes = self.columns.bytes() + self.diffs.len() * size_of::<i64>();
    }

    /// Pushes a row of a source.
    #[inline]
    pub(crate) fn push(&mut self, fields: RowOf<S>) -> Result<(), Box<RefusedRow<S>>> {
        self.push_columns(fields);
        if self.checks.is_some() {
            self.check().map_err(|error| self.refused_row(error))?;
        }
        self.pushed(1);
        Ok(())
    }

    /// Checks whether the sinks can accept the row that is in the columns but not yet counted. Because it is not
    /// counted, `repair` removes it if a check panics.
    #[inline(never)]
    fn check(&self) -> Result<(), RowError> {
        let bytes = self.columns.bytes();
        self.checks
            .iter()
            .flat_map(|checks| &**checks)
            .try_for_each(|check| check.check(&self.columns, self.len, bytes))
    }

    /// Like [`check`](Self::check), but drops a refused row: the caller still has its JSON.
    #[inline]
    fn check_json(&mut self) -> Result<(), RowError> {
        if self.checks.is_none() {
            return Ok(());
        }
        self.check().inspect_err(|_| self.repair())
    }

    #[cold]
    fn refused_row(&mut self, error: RowError) -> Box<RefusedRow<S>> {
        let mut json = Vec::new();
        RowWriter::new::<S>().write_row(&self.columns, self.len, &mut json);
        let row = self.row(self.len);
        self.repair();
        Box::new(RefusedRow { row, json, error })
    }

    #[inline]
    pub(crate) fn push_times(&mut self, fields: RowOf<S>, diff: i64) {
        self.push_columns(fields);
        self.pushed(diff);
    }

    #[inline]
    fn push_columns(&mut self, fields: RowOf<S>) {
        if ColumnsOf::<S>::CAN_REFUSE {
            refusal::push::<S>(&mut self.columns, self.len, fields);
        } else {
            S::Fields::push(&mut self.columns, fields);
        }
    }

    #[inline]
    pub(crate) fn push_json(&mut self, json: &[u8]) -> Result<(), RowError> {
        decode::decode_json::<S>(&mut self.columns, self.len, json, &mut self.seen)
            .inspect_err(|_| self.note_refused())?;
        self.check_json()?;
        self.pushed(1);
        Ok(())
    }

    /// Pushes a row of a log. It does not call `push_json`, which must have one caller to be inlined.
    pub(crate) fn restore_json(&mut self, json: &[u8], diff: i64) -> Result<(), RowError> {
        decode::parse_stored::<S>(&mut self.columns, self.len, json, &mut self.seen)?;
        self.pushed(diff);
        Ok(())
    }

    /// Pushes a row that was written as JSON, with a multiplicity.
    pub(crate) fn push_encoded(&mut self, json: &[u8], diff: i64) -> Result<(), RowError> {
        if const { path::any(S::SCHEMA.columns) } {
            return self.restore_json(json, diff);
        }
        decode::decode_json::<S>(&mut self.columns, self.len, json, &mut self.seen)?;
        self.pushed(diff);
        Ok(())
    }

    pub(crate) fn push_value(&mut self, value: &Value) -> Result<(), RowError> {
        decode::decode_value::<S>(&mut self.columns, self.len, value, &mut self.seen)
            .inspect_err(|_| self.note_refused())?;
        self.check_json()?;
        self.pushed(1);
        Ok(())
    }

    /// Pushes the removal of a key. It cannot fail; its result has the form of the other pushes.
    pub(crate) fn push_removal(&mut self, key: S::Key) -> Result<(), Infallible>
    where
        S: Keyed,
    {
        let mut next = 0;
        S::with_parts(key, &mut |part| {
            while !is_key::<S>(next) {
                next += 1;
            }
            self.columns.push_part_at(next, part);
            next += 1;
        });
        self.columns.push_placeholders(is_key::<S>, 0);
        self.pushed(-1);
        Ok(())
    }

    pub(crate) fn push_from(&mut self, columns: &ColumnsOf<S>, row: usize, diff: i64) {
        self.columns.push_from(columns, row);
        self.pushed(diff);
    }

    /// Completes a row that is in the columns already.
    #[inline]
    pub(crate) fn pushed(&mut self, diff: i64) {
        if diff != 1 && self.diffs.is_empty() {
            self.diffs.resize(self.len, 1);
        }
        if diff != 1 || !self.diffs.is_empty() {
            self.diffs.push(diff);
        }
        self.len += 1;
        self.count_bytes();
    }

    #[inline]
    pub(crate) fn diff(&self, row: usize) -> i64 {
        if self.diffs.is_empty() { 1 } else { self.diffs[row] }
    }

    pub(crate) fn row(&self, row: usize) -> S {
        row_at(&self.columns, row)
    }

    /// Records the memory of a row that the decoder has refused. The buffers keep it.
    #[cold]
    fn note_refused(&mut self) {
        self.peak.1 = self.peak.1.max(self.seen.refused_bytes);
    }

    /// Removes the values that a push has added to the columns before it panicked, or before a check refused them.
    pub(crate) fn repair(&mut self) {
        self.peak.1 = self.peak.1.max(self.columns.bytes());
        self.columns.truncate(self.len);
        self.count_bytes();
    }

    fn truncate(&mut self, len: usize) {
        self.peak = (self.peak.0.max(self.len), self.peak.1.max(self.bytes()));
        self.columns.truncate(len);
        self.diffs.truncate(len);
        self.len = len;
        self.count_bytes();
    }

    /// Returns whether the next update adds a row with the key of this removed one, which replaces it.
    pub(crate) fn is_replaced(&self, row: usize) -> bool {
        let next = row + 1;
        next < self.len && self.diff(next) > 0 && self.columns.key_equal(row, &self.columns, next, is_key::<S>, 0)
    }

    /// Returns whether the buffers are mostly empty.
    fn is_sparse(&self) -> bool {
        self.len * SPARSE < self.peak.0 || self.bytes() * SPARSE < self.peak.1
    }

    fn copy(&self) -> Self {
        let mut copy = Batch::default();
        for row in 0..self.len {
            copy.push_from(&self.columns, row, self.diff(row));
        }
        copy
    }

    pub(crate) fn clear(&mut self) {
        self.truncate(0);
    }
}

/// Empty batches that can be filled again.
pub(crate) struct Pool<S: Schema> {
    idle: Lock<Vec<Batch<S>>>,
    /// The checks of the table's sinks. Set once, before the first row.
    checks: OnceLock<Arc<[RowCheck<S>]>>,
}

impl<S: Schema> Pool<S> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Pool { idle: Lock::default(), checks: OnceLock::new() })
    }

    /// Sets the checks for each row that is pushed from now on.
    pub(crate) fn set_checks(&self, checks: Vec<RowCheck<S>>) {
        if !checks.is_empty() {
            // The pipeline of a table starts once.
            let _ = self.checks.set(checks.into());
        }
    }

    pub(crate) fn get(&self) -> Batch<S> {
        let mut batch = self.idle.lock().pop().unwrap_or_default();
        batch.checks = self.checks.get().cloned();
        batch
    }

    pub(crate) fn put(&self, mut batch: Batch<S>) {
        if batch.starts_table {
            return;
        }
        batch.clear();
        if batch.peak.1 > POOL_BYTES {
            return;
        }
        let mut idle = self.idle.lock();
        if idle.len() < POOL_BATCHES {
            idle.push(batch);
        }
    }
}
