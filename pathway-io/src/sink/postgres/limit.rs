//! Checks the values of a pushed row with the code that later writes them: [`row_check`].

use std::cell::RefCell;

use super::encode;
use super::fault::PostgresFault;
use super::layout::Layout;
use super::types::PostgresType;
use crate::rows::check::RowCheck;
use crate::rows::column::{Buffer, Scalar};
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::{ColumnsOf, Schema};
use crate::run::error::row_error::RowError;

/// The maximum number of bytes of a row: PostgreSQL refuses messages and tuples of 1 GB, which contain a little more
/// than the values.
pub(super) const ROW_LIMIT: usize = (1 << 30) - (1 << 16);
/// The maximum number of bytes of a `jsonb`. PostgreSQL counts them in another form, whose size depends on its parts.
const JSONB_LIMIT: usize = (1 << 28) - 1;
/// The maximum number of bytes in an entry of an index, with a page of 8 KiB. PostgreSQL may compress a longer key, and
/// then holds it, but whether it does depends on the bytes of the key.
const KEY_LIMIT: usize = 2_704;
/// The bytes of a value besides its data, in a message and in an index.
const OVERHEAD: usize = 8;
/// The maximum number of bytes of a number.
const SHORT: usize = 40;
/// The bytes of a part of a `jsonb` besides its text.
const JSONB_PART: usize = 12;
const JSONB: PostgresFault = "JSON of more than 268435455 bytes, which PostgreSQL cannot hold as `jsonb`";

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

#[derive(Default)]
struct Scratch {
    value: Vec<u8>,
    spelled: Vec<u8>,
}

/// Returns the check for rows of at most `limit` bytes.
pub(super) fn row_check<S: Schema>(layout: &Layout, limit: usize) -> RowCheck<S> {
    let kinds: Vec<(PostgresType, bool)> =
        layout.columns.iter().map(|column| (column.kind, column.primary_key)).collect();
    RowCheck::of_columns(0, move |columns: &ColumnsOf<S>, row| {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut values = ValueSizes {
                columns: &kinds,
                row,
                all: Sum::default(),
                key: Sum { bytes: OVERHEAD, ..Sum::default() },
                fault: None,
                scratch,
            };
            columns.visit(0, &mut values);
            let ValueSizes { all, key, fault, .. } = values;
            let (column, reason) = if let Some((column, fault)) = fault {
                (column, format!("it has {fault}"))
            } else if all.bytes > limit {
                let bytes = all.bytes;
                (all.largest.1, format!("PostgreSQL holds at most {limit} bytes in a row, and this row takes {bytes}"))
            } else if key.bytes > KEY_LIMIT {
                let bytes = key.bytes;
                (
                    key.largest.1,
                    format!("PostgreSQL holds at most {KEY_LIMIT} bytes in a key, and this key takes up to {bytes}"),
                )
            } else {
                return Ok(());
            };
            Err(RowError::new(reason).at_column(Some(S::SCHEMA.columns[column].name)))
        })
    })
}

/// The total size of several values.
#[derive(Default)]
struct Sum {
    bytes: usize,
    /// The size of the largest value, and its column.
    largest: (usize, usize),
}

impl Sum {
    fn add(&mut self, column: usize, bytes: usize) {
        self.bytes += bytes + OVERHEAD;
        self.largest = self.largest.max((bytes, column));
    }
}

struct ValueSizes<'a> {
    /// The kind of each column, and whether it belongs to the primary key of the table.
    columns: &'a [(PostgresType, bool)],
    row: usize,
    all: Sum,
    key: Sum,
    fault: Option<(usize, PostgresFault)>,
    scratch: &'a mut Scratch,
}

impl Visitor for ValueSizes<'_> {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        let (kind, in_key) = self.columns[index];
        let Scratch { value, spelled } = &mut *self.scratch;
        value.clear();
        let written = match (kind, buffer.scalar(self.row)) {
            // Such values always fit, so they need not be encoded.
            (_, Scalar::Null) => Ok(0),
            (_, Scalar::Integer(_) | Scalar::Float(_)) => Ok(SHORT),
            (PostgresType::Text, Scalar::Text(text)) => encode::check_text(text.as_bytes()).map(|()| text.len()),
            (PostgresType::Bytea, Scalar::Bytes(bytes)) => Ok(bytes.len()),
            _ => encode::field(kind, in_key, buffer, self.row, value, spelled).map(|()| value.len()),
        };
        let written =
            written.and_then(|len| if kind == PostgresType::Jsonb && len > JSONB_LIMIT { Err(JSONB) } else { Ok(len) });
        match written {
            Ok(len) => {
                self.all.add(index, len);
                if in_key {
                    // In an index, each part of JSON has its own header.
                    let parts = value.iter().filter(|byte| b",:[{".contains(byte)).count();
                    self.key.add(index, if kind == PostgresType::Jsonb { len + JSONB_PART * parts } else { len });
                }
            }
            Err(fault) => {
                self.fault.get_or_insert((index, fault));
            }
        }
    }
}
