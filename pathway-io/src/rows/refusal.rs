//! A row that was pushed as a struct and has a value that its column refuses.
//!
//! The error of `next` can only report a closed subject, so such a push panics. The buffer that panics does not know
//! the name of its column, so this module adds the name to the message. Only columns of JSON and of paths refuse
//! values, and only schemas with such columns pay for it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::rows::column::Buffer;
use crate::rows::fields::{Columns, Fields, Visitor};
use crate::rows::schema::{ColumnsOf, RowOf, Schema};

/// Pushes a row into columns with `len` rows.
///
/// # Panics
///
/// Panics if a column refuses its value. The columns are then unchanged.
pub(crate) fn push<S: Schema>(columns: &mut ColumnsOf<S>, len: usize, fields: RowOf<S>) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(|| S::Fields::push(columns, fields))) else { return };
    let mut refused = Shorter { len, column: None };
    columns.visit(0, &mut refused);
    columns.truncate(len);
    resume::<S>(refused.column, payload)
}

/// Pushes the default of a column that a row of JSON lacks, or null. Returns `false` if it has neither.
///
/// # Panics
///
/// Panics if the column refuses its default. That is a mistake in the program, and not in the row.
#[inline]
pub(crate) fn fill<S: Schema>(columns: &mut ColumnsOf<S>, index: usize) -> bool {
    if !ColumnsOf::<S>::CAN_REFUSE {
        return S::Fields::fill(columns, index);
    }
    let filled = catch_unwind(AssertUnwindSafe(|| S::Fields::fill(columns, index)));
    filled.unwrap_or_else(|payload| resume::<S>(Some(index), payload))
}

/// Continues a panic, whose reason gets the name of the column.
fn resume<S: Schema>(column: Option<usize>, payload: Box<dyn Any + Send>) -> ! {
    match (column, payload.downcast::<String>()) {
        (Some(column), Ok(reason)) => {
            resume_unwind(Box::new(format!("column `{}`: {reason}", S::SCHEMA.columns[column].name)))
        }
        (_, Ok(reason)) => resume_unwind(reason),
        (_, Err(payload)) => resume_unwind(payload),
    }
}

/// Finds the first column without a value of the row. The columns before it have accepted theirs.
struct Shorter {
    len: usize,
    column: Option<usize>,
}

impl Visitor for Shorter {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        if self.column.is_none() && buffer.len() <= self.len {
            self.column = Some(index);
        }
    }
}
