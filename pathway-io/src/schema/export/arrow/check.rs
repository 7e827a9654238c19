//! Checks whether Arrow has the values of a pushed row, with the code that later appends them: [`row_check`].

use std::cell::RefCell;

use arrow_schema::{DataType as ArrowType, FieldRef};

use super::batch::{append_value, schema_for_files};
use super::node::{ArrowFault, Node};
use crate::rows::column::{Buffer, Scalar, Style};
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::{ColumnsOf, Schema};

/// The factor by which a value can be larger as text than in its column. For an enum, the column has a number.
const GROWTH: usize = 4_096;

/// The number of a column, and the reason why its row cannot be in a file.
pub(crate) struct Unfit {
    pub(crate) column: usize,
    pub(crate) reason: String,
}

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Returns the check for rows of a file, with at most `limit` bytes in a row. Rows of a batch with fewer bytes than the
/// returned number need no check.
///
/// The Arrow type of most columns can hold every value. The check skips these columns. If the table has no other
/// columns, it also skips batches with few bytes.
pub(crate) fn row_check<S: Schema>(
    limit: usize,
) -> (usize, impl Fn(&ColumnsOf<S>, usize) -> Result<(), Unfit> + Send + Sync) {
    let schema = schema_for_files(S::SCHEMA);
    let is_checked = |field: &FieldRef| can_be_out_of_range(field.data_type()).then(|| FieldRef::clone(field));
    let columns: Vec<Option<FieldRef>> = schema.fields().iter().map(is_checked).collect();
    let from_bytes = if columns.iter().any(Option::is_some) { 0 } else { limit / GROWTH };
    let check = move |values: &ColumnsOf<S>, row| {
        SCRATCH.with_borrow_mut(|scratch| {
            // Rows that may exceed the limit are rare.
            let is_large = values.bytes() >= limit / GROWTH;
            let mut check =
                RowChecker { columns: &columns, row, is_large, bytes: 0, largest: (0, 0), fault: None, scratch };
            values.visit(0, &mut check);
            match check.fault {
                Some((column, fault)) => Err(Unfit { column, reason: format!("it has {fault}") }),
                None if check.bytes > limit => {
                    let bytes = check.bytes;
                    let reason =
                        format!("Parquet holds at most {limit} bytes in a row here, and this row takes {bytes}");
                    Err(Unfit { column: check.largest.1, reason })
                }
                None => Ok(()),
            }
        })
    };
    (from_bytes, check)
}

/// Returns whether the Arrow type lacks some values of the column's type. It does for instants and durations, which
/// have 64 bits there.
fn can_be_out_of_range(arrow: &ArrowType) -> bool {
    match arrow {
        ArrowType::Duration(_) | ArrowType::Timestamp(..) => true,
        ArrowType::List(item) | ArrowType::FixedSizeList(item, _) | ArrowType::Map(item, _) => {
            can_be_out_of_range(item.data_type())
        }
        ArrowType::Struct(items) => items.iter().any(|item| can_be_out_of_range(item.data_type())),
        _ => false,
    }
}

struct RowChecker<'a> {
    /// The columns whose values can be out of range.
    columns: &'a [Option<FieldRef>],
    row: usize,
    /// Whether the row may exceed the limit of bytes.
    is_large: bool,
    /// The number of bytes of strings, byte strings and JSON.
    bytes: usize,
    /// The size of the largest value, and its column.
    largest: (usize, usize),
    fault: Option<(usize, ArrowFault)>,
    scratch: &'a mut Vec<u8>,
}

impl Visitor for RowChecker<'_> {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        if self.fault.is_some() {
            return;
        }
        if let Some(field) = &self.columns[index] {
            let mut node = Node::new(field);
            if let Err(fault) = append_value(&mut node, buffer, self.row, self.scratch) {
                self.fault = Some((index, fault));
            }
        }
        if !self.is_large {
            return;
        }
        let bytes = match buffer.scalar(self.row) {
            Scalar::Null | Scalar::Integer(_) | Scalar::Float(_) => 0,
            Scalar::Text(text) => text.len(),
            Scalar::Bytes(bytes) => bytes.len(),
            Scalar::Spelled => {
                self.scratch.clear();
                buffer.write_text(self.row, Style::Plain, self.scratch);
                self.scratch.len()
            }
        };
        self.bytes += bytes;
        self.largest = self.largest.max((bytes, index));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Schema;
    use crate::rows::batch::Batch;

    #[derive(Schema)]
    #[schema(crate = crate)]
    struct Page {
        title: String,
        tags: Vec<String>,
    }

    #[test]
    fn a_row_that_no_array_can_hold_names_its_largest_column() {
        let (from_bytes, check) = row_check::<Page>(10_000);
        let mut pages = Batch::<Page>::default();
        for (title, tags, column) in [(4000, 5000, None), (8000, 3000, Some(0)), (3000, 8000, Some(1))] {
            pages.push_value(&json!({"title": "x".repeat(title), "tags": ["x".repeat(tags)]})).unwrap();
            assert!(pages.bytes() >= from_bytes);
            let checked = check(&pages.columns, pages.len() - 1);
            assert_eq!(checked.err().map(|unfit| unfit.column), column);
        }
    }
}
