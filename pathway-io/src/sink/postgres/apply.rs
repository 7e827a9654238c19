//! Writes the updates of several commits with few statements: `COPY` for a stream of updates and for the rows of new
//! keys, and arrays for other current rows.
//!
//! A key is new if the commits add one row more than they remove. If another program has written a row with such a key,
//! the `COPY` is rolled back to its savepoint, and the upsert writes the rows, which replaces the other row.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use postgres::types::ToSql;
use postgres::{Statement, Transaction};

use super::copy::Copy;
use super::error::{classified, classified_copy, is_taken};
use super::fields::{Array, FieldWriter, Out, refused};
use super::layout::Layout;
use crate::rows::batch::Batch;
use crate::rows::commit::Commit;
use crate::rows::fields::Columns;
use crate::rows::schema::{KeyOf, Schema, is_key};
use crate::run::error::BoxError;

/// The maximum number of rows in one statement, because the server keeps all of them in memory.
const ROWS: usize = 20_000;
/// The maximum number of bytes in one statement, unless one row has more.
const BYTES: usize = 8 * 1024 * 1024;
/// The number of new keys from which `COPY` is worth its round trips. The kill tests have few rows, so they always use
/// it.
const COPIED: usize = if cfg!(feature = "faults") { 1 } else { 64 };

/// The statements for the current rows.
pub(super) struct Statements {
    pub(super) upsert: Statement,
    pub(super) delete: Statement,
    /// The statement for new keys.
    pub(super) copy: Statement,
    /// Whether `COPY` has the effect of an upsert for this table, and no key was taken so far.
    pub(super) takes_copy: bool,
}

/// A row of a group of commits: the number of its batch, and its index in the batch.
#[derive(Clone, Copy)]
struct GroupedRow {
    batch: usize,
    row: usize,
}

/// The change of a key by a group of commits.
#[derive(Clone, Copy)]
struct Change {
    /// The key's last row.
    place: GroupedRow,
    /// Whether the row exists after the group.
    is_present: bool,
    /// The number of additions minus the number of removals.
    net: i64,
}

impl Change {
    /// Returns whether the key had no row before the group.
    fn is_new(&self) -> bool {
        self.is_present && self.net == 1
    }
}

/// The changes of a group, in the order of the keys' first updates. A key must not come twice in one statement.
struct LastChanges {
    places: HashTable<(u64, usize)>,
    rows: Vec<Change>,
}

impl LastChanges {
    /// Calls `each` with the number of the change that each update belongs to.
    fn of<S: Schema>(batches: &[&Batch<S>], mut each: impl FnMut(usize)) -> Self {
        let hasher = RandomState::default();
        let mut last = LastChanges { places: HashTable::new(), rows: Vec::new() };
        for (number, batch) in batches.iter().enumerate() {
            for row in 0..batch.len() {
                let hash = hasher.hash_one(KeyOf::<S> { columns: &batch.columns, row });
                let (place, diff) = (GroupedRow { batch: number, row }, batch.diff(row));
                let same = |&(other, at): &(u64, usize)| {
                    let GroupedRow { batch: number, row: other_row } = last.rows[at].place;
                    let columns = &batches[number].columns;
                    other == hash && batch.columns.key_equal(row, columns, other_row, is_key::<S>, 0)
                };
                match last.places.find(hash, same) {
                    Some(&(_, at)) => {
                        let net = last.rows[at].net + diff;
                        last.rows[at] = Change { place, is_present: diff > 0, net };
                        each(at);
                    }
                    None => {
                        last.places.insert_unique(hash, (hash, last.rows.len()), |&(hash, _)| hash);
                        each(last.rows.len());
                        last.rows.push(Change { place, is_present: diff > 0, net: diff });
                    }
                }
            }
        }
        last
    }
}

/// Returns, for each update of a commit, the place of its key in the order in which [`change`] writes the keys.
pub(super) fn order<S: Schema>(commit: &Commit<S>) -> Vec<usize> {
    let batches: Vec<&Batch<S>> = commit.batches().iter().collect();
    let mut changes = Vec::with_capacity(commit.len());
    let last = LastChanges::of(&batches, |change| changes.push(change));
    let mut order: Vec<usize> = (0..last.rows.len()).collect();
    order.sort_by_key(|change| last.rows[*change].is_present);
    let mut places = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, change)| places[*change] = place);
    changes.iter().map(|change| places[*change]).collect()
}

/// Brings the rows of the changed keys to their state after the commits.
pub(super) fn change<S: Schema>(
    transaction: &mut Transaction<'_>,
    layout: &Layout,
    statements: &mut Statements,
    commits: &[Commit<S>],
) -> Result<(), BoxError> {
    let batches: Vec<&Batch<S>> = commits.iter().flat_map(Commit::batches).collect();
    let last = LastChanges::of(&batches, |_| ());
    let new = last.rows.iter().filter(|change| change.is_new()).count();
    let copies = statements.takes_copy && new >= COPIED;
    // Removed rows go first, because another row may now have a value that must be unique.
    let mut gone = Arrays::new(layout, &statements.delete, &batches, true);
    for change in last.rows.iter().filter(|change| !change.is_present) {
        gone.add(transaction, *change)?;
    }
    gone.execute(transaction)?;
    let mut present = Arrays::new(layout, &statements.upsert, &batches, false);
    for change in last.rows.iter().filter(|change| change.is_present && !(copies && change.is_new())) {
        present.add(transaction, *change)?;
    }
    present.execute(transaction)?;
    let new = || last.rows.iter().filter(|change| change.is_new()).copied();
    if copies && !insert(transaction, layout, &statements.copy, new(), &batches)? {
        // Another program has written rows to the table, so `COPY` would fail for later commits, too.
        statements.takes_copy = false;
        for change in new() {
            present.add(transaction, change)?;
        }
        present.execute(transaction)?;
    }
    Ok(())
}

/// The parameters of one statement.
struct Arrays<'a, S: Schema> {
    layout: &'a Layout,
    statement: &'a Statement,
    batches: &'a [&'a Batch<S>],
    arrays: Vec<Array>,
    /// The length of each array before the last row.
    ends: Vec<usize>,
    oids: Vec<u32>,
    rows: usize,
    only_key: bool,
    /// A buffer for the text of values.
    scratch: Vec<u8>,
}

impl<'a, S: Schema> Arrays<'a, S> {
    fn new(layout: &'a Layout, statement: &'a Statement, batches: &'a [&'a Batch<S>], only_key: bool) -> Self {
        let columns = layout.columns.iter().filter(|column| !only_key || column.primary_key);
        let oids: Vec<u32> = columns.map(|column| column.kind.oid()).collect();
        let arrays = oids.iter().map(|_| Array(Vec::new())).collect();
        let (ends, scratch) = (Vec::new(), Vec::new());
        let mut arrays = Arrays { layout, statement, batches, arrays, ends, oids, rows: 0, only_key, scratch };
        arrays.clear();
        arrays
    }

    /// Empties each array except its header: one dimension, possible nulls, the type, the number of elements, and the
    /// first index.
    fn clear(&mut self) {
        for (array, oid) in self.arrays.iter_mut().zip(&self.oids) {
            array.0.clear();
            for word in [1, 1, *oid, 0, 1] {
                array.0.extend_from_slice(&word.to_be_bytes());
            }
        }
        self.rows = 0;
    }

    fn bytes(&self) -> usize {
        self.arrays.iter().map(|array| array.0.len()).sum()
    }

    /// Adds a row, and executes the statement if there are enough of them. A row that does not fit begins the next
    /// statement, because PostgreSQL takes at most 1 GiB in one.
    fn add(&mut self, transaction: &mut Transaction<'_>, change: Change) -> Result<(), BoxError> {
        let (layout, GroupedRow { batch, row }) = (self.layout, change.place);
        self.ends.clear();
        self.ends.extend(self.arrays.iter().map(|array| array.0.len()));
        let (out, scratch) = (Out::Arrays(&mut self.arrays, 0), &mut self.scratch);
        let mut fields = FieldWriter { layout, row, only_key: self.only_key, out, scratch, fault: None };
        self.batches[batch].columns.visit(0, &mut fields);
        if let Some(fault) = fields.fault {
            return Err(refused(layout, fault));
        }
        self.rows += 1;
        if self.rows > 1 && self.bytes() > BYTES {
            let arrays = self.arrays.iter_mut().zip(&self.ends);
            let row: Vec<Vec<u8>> = arrays.map(|(array, end)| array.0.split_off(*end)).collect();
            self.rows -= 1;
            self.execute(transaction)?;
            for (array, field) in self.arrays.iter_mut().zip(row) {
                array.0.extend_from_slice(&field);
            }
            self.rows = 1;
        }
        if self.rows >= ROWS || self.bytes() >= BYTES { self.execute(transaction) } else { Ok(()) }
    }

    /// Executes the statement with the rows, if there are any.
    fn execute(&mut self, transaction: &mut Transaction<'_>) -> Result<(), BoxError> {
        if self.rows == 0 {
            return Ok(());
        }
        // There are at most `ROWS` rows.
        let rows = (self.rows as u32).to_be_bytes();
        for array in &mut self.arrays {
            array.0[12..16].copy_from_slice(&rows);
        }
        let parameters: Vec<&(dyn ToSql + Sync)> = self.arrays.iter().map(|array| array as _).collect();
        transaction.execute(self.statement, &parameters).map_err(classified)?;
        self.clear();
        Ok(())
    }
}

/// Adds the rows of new keys. Returns `false`, and leaves the table unchanged, if that needs an upsert.
fn insert<S: Schema>(
    transaction: &mut Transaction<'_>,
    layout: &Layout,
    statement: &Statement,
    rows: impl Iterator<Item = Change>,
    batches: &[&Batch<S>],
) -> Result<bool, BoxError> {
    let mut savepoint = transaction.transaction().map_err(classified)?;
    let copied = Copy::begin(&mut savepoint, layout, statement).and_then(|mut copy| {
        for Change { place, .. } in rows {
            copy.row(batches[place.batch], place.row, None)?;
        }
        copy.end()
    });
    match copied {
        Ok(()) => savepoint.commit().map_err(classified)?,
        Err(error) if is_taken(&error) => {
            savepoint.rollback().map_err(classified)?;
            return Ok(false);
        }
        Err(error) => return Err(classified_copy(error)),
    }
    Ok(true)
}

/// Appends the updates of the commits to the table.
pub(super) fn append<S: Schema>(
    transaction: &mut Transaction<'_>,
    layout: &Layout,
    statement: &Statement,
    commits: &[Commit<S>],
) -> Result<(), BoxError> {
    let copied = Copy::begin(transaction, layout, statement).and_then(|mut copy| {
        for commit in commits {
            for (batch, row) in commit.rows() {
                copy.row(batch, row, Some((commit.time(), batch.diff(row))))?;
            }
        }
        copy.end()
    });
    copied.map_err(classified_copy)
}
