//! The updates of several commits as the parameters of few statements: arrays for the current rows, `COPY` for a stream of
//! updates.

use std::hash::{BuildHasher, Hasher};
use std::io::{self, Write};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Statement, Transaction};

use super::encode::{self, Fault};
use super::error::judged;
use super::layout::Layout;
use crate::rows::batch::Batch;
use crate::rows::column::Buffer;
use crate::rows::commit::Commit;
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::{Schema, is_key};
use crate::run::error::{BoxError, Error};

/// Rows that go into one statement at most: it holds all of them in the memory of the server.
const ROWS: usize = 20_000;
/// The most bytes in one statement.
const BYTES: usize = 8 * 1024 * 1024;
/// Bytes that are gathered for a `COPY` before they are sent.
const BUFFER: usize = 64 * 1024;

/// A row of a group: the number of its batch, and the row there.
#[derive(Clone, Copy)]
struct Place {
    batch: usize,
    row: usize,
}

/// The last change of each key of a group. A key must not come twice in one statement.
struct LastChanges {
    places: HashTable<(u64, usize)>,
    /// Each key's last row, and whether it is there.
    rows: Vec<(Place, bool)>,
}

/// Hashes the key of one row.
struct KeyHash<'a, H, S> {
    row: usize,
    state: &'a mut H,
    schema: std::marker::PhantomData<S>,
}

impl<H: Hasher, S: Schema> Visitor for KeyHash<'_, H, S> {
    #[inline]
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        if is_key::<S>(index) {
            buffer.hash(self.row, self.state);
        }
    }
}

impl LastChanges {
    fn of<S: Schema>(batches: &[&Batch<S>]) -> Self {
        let hasher = RandomState::default();
        let mut last = LastChanges { places: HashTable::new(), rows: Vec::new() };
        for (number, batch) in batches.iter().enumerate() {
            for row in 0..batch.len() {
                let mut state = hasher.build_hasher();
                let mut visitor = KeyHash::<_, S> { row, state: &mut state, schema: std::marker::PhantomData };
                batch.columns.visit(0, &mut visitor);
                let hash = state.finish();
                let change = (Place { batch: number, row }, batch.diff(row) > 0);
                let same = |&(other, at): &(u64, usize)| {
                    let (place, _) = last.rows[at];
                    let columns = &batches[place.batch].columns;
                    other == hash && batch.columns.key_equal(row, columns, place.row, is_key::<S>, 0)
                };
                match last.places.find(hash, same) {
                    Some(&(_, at)) => last.rows[at] = change,
                    None => {
                        last.places.insert_unique(hash, (hash, last.rows.len()), |&(hash, _)| hash);
                        last.rows.push(change);
                    }
                }
            }
        }
        last
    }
}

/// The binary form of an array, as a parameter.
#[derive(Debug)]
struct Array(Vec<u8>);

impl ToSql for Array {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Writes rows as fields, each column into its own array or all of them into one row.
struct Fields<'a> {
    layout: &'a Layout,
    row: usize,
    /// Only the columns of the key are taken.
    only_key: bool,
    out: Out<'a>,
    scratch: &'a mut Vec<u8>,
    fault: Option<(usize, Fault)>,
}

enum Out<'a> {
    Row(&'a mut Vec<u8>),
    /// An array for each column that is taken, and the number of the next.
    Arrays(&'a mut [Array], usize),
}

impl Visitor for Fields<'_> {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        let column = &self.layout.columns[index];
        if self.fault.is_some() || (self.only_key && !column.primary_key) {
            return;
        }
        let out = match &mut self.out {
            Out::Row(row) => row,
            Out::Arrays(arrays, next) => {
                *next += 1;
                &mut arrays[*next - 1].0
            }
        };
        let written = encode::field(column.kind, column.primary_key, buffer, self.row, out, self.scratch);
        self.fault = written.err().map(|fault| (index, fault));
    }
}

fn refused(layout: &Layout, (column, fault): (usize, Fault)) -> BoxError {
    Error::refused(None, format!("column `{}`: it has {fault}", layout.columns[column].name)).into()
}

/// Makes the rows of the keys what they are after the commits.
pub(super) fn change<S: Schema>(
    transaction: &mut Transaction<'_>,
    layout: &Layout,
    [upsert, delete]: [&Statement; 2],
    commits: &[Commit<S>],
    scratch: &mut Vec<u8>,
) -> Result<(), BoxError> {
    let batches: Vec<&Batch<S>> = commits.iter().flat_map(Commit::batches).collect();
    let last = LastChanges::of(&batches);
    // Those that are gone first: another row may have a value that they had to themselves.
    for (statement, present) in [(delete, false), (upsert, true)] {
        let mut arrays = Arrays::new(layout, !present);
        for (place, _) in last.rows.iter().filter(|(_, is_present)| *is_present == present) {
            arrays.push(layout, batches[place.batch], place.row, scratch)?;
            if arrays.rows >= ROWS || arrays.bytes() >= BYTES {
                arrays.execute(transaction, statement)?;
            }
        }
        if arrays.rows > 0 {
            arrays.execute(transaction, statement)?;
        }
    }
    Ok(())
}

/// The parameters of one statement.
struct Arrays {
    arrays: Vec<Array>,
    oids: Vec<u32>,
    rows: usize,
    only_key: bool,
}

impl Arrays {
    fn new(layout: &Layout, only_key: bool) -> Self {
        let columns = layout.columns.iter().filter(|column| !only_key || column.primary_key);
        let oids: Vec<u32> = columns.map(|column| column.kind.oid()).collect();
        let mut arrays = Arrays { arrays: oids.iter().map(|_| Array(Vec::new())).collect(), oids, rows: 0, only_key };
        arrays.clear();
        arrays
    }

    /// Begins each with its head: one dimension, maybe nulls, the type, the number of elements, and the first one's.
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

    fn push<S: Schema>(
        &mut self,
        layout: &Layout,
        batch: &Batch<S>,
        row: usize,
        scratch: &mut Vec<u8>,
    ) -> Result<(), BoxError> {
        let out = Out::Arrays(&mut self.arrays, 0);
        let mut fields = Fields { layout, row, only_key: self.only_key, out, scratch, fault: None };
        batch.columns.visit(0, &mut fields);
        if let Some(fault) = fields.fault {
            return Err(refused(layout, fault));
        }
        self.rows += 1;
        Ok(())
    }

    fn execute(&mut self, transaction: &mut Transaction<'_>, statement: &Statement) -> Result<(), BoxError> {
        // At most `ROWS`.
        let rows = (self.rows as u32).to_be_bytes();
        for array in &mut self.arrays {
            array.0[12..16].copy_from_slice(&rows);
        }
        let parameters: Vec<&(dyn ToSql + Sync)> = self.arrays.iter().map(|array| array as _).collect();
        transaction.execute(statement, &parameters).map_err(judged)?;
        self.clear();
        Ok(())
    }
}

/// Returns an error of `COPY`, taken out of the one that `Write` requires.
fn of_copy(error: io::Error) -> BoxError {
    match error.downcast::<postgres::Error>() {
        Ok(error) => judged(error),
        Err(error) => error.into(),
    }
}

/// Adds the updates of the commits to the stream of them.
pub(super) fn append<S: Schema>(
    transaction: &mut Transaction<'_>,
    layout: &Layout,
    commits: &[Commit<S>],
    scratch: &mut Vec<u8>,
) -> Result<(), BoxError> {
    let mut copy = transaction.copy_in(&*layout.copy).map_err(judged)?;
    let mut out = Vec::with_capacity(BUFFER + BUFFER / 4);
    // The signature, no flags, and no extension.
    out.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
    out.extend_from_slice(&[0; 8]);
    // A table has at most 1,600 columns.
    let width = (layout.columns.len() as i16).to_be_bytes();
    for commit in commits {
        for batch in commit.batches() {
            for row in 0..batch.len() {
                out.extend_from_slice(&width);
                let mut fields = Fields { layout, row, only_key: false, out: Out::Row(&mut out), scratch, fault: None };
                batch.columns.visit(0, &mut fields);
                if let Some(fault) = fields.fault {
                    return Err(refused(layout, fault));
                }
                encode::int8(commit.time().cast_signed(), &mut out);
                encode::int8(batch.diff(row), &mut out);
                if out.len() >= BUFFER {
                    copy.write_all(&out).map_err(of_copy)?;
                    out.clear();
                }
            }
        }
    }
    out.extend_from_slice(&(-1_i16).to_be_bytes());
    copy.write_all(&out).map_err(of_copy)?;
    copy.finish().map_err(judged)?;
    Ok(())
}
