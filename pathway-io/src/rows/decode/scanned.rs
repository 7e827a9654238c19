//! A row read by the scan: first the columns as far as they come in their order, in code that knows what comes next, and
//! then the fields that are left, in any order.

use serde::de::DeserializeSeed;

use super::Seen;
use super::nested::{self, Field, Nested};
use crate::rows::column::scan::Scan;
use crate::rows::description::RESERVED;
use crate::rows::fields::{Columns, Fields};
use crate::rows::schema::{ColumnsOf, Schema};

/// Appends the row, unless the scan gives it up; then the columns, which have `len` rows, are as they were.
#[inline]
pub(super) fn scan<S: Schema>(columns: &mut ColumnsOf<S>, len: usize, text: &str, seen: &mut Seen) -> bool {
    let mut scan = Scan::new(text);
    let in_order = scan.open() && columns.scan(&mut scan, S::SCHEMA.columns, 0) && scan.close();
    let scanned = in_order || scan_rest::<S>(columns, &mut scan, seen).is_some();
    if !scanned {
        columns.truncate(len);
    }
    scanned
}

/// Reads the fields after those that came in order, and fills in what is missing.
fn scan_rest<S: Schema>(columns: &mut ColumnsOf<S>, scan: &mut Scan<'_>, seen: &mut Seen) -> Option<()> {
    let in_order = scan.leave_order()?;
    seen.start_after(ColumnsOf::<S>::WIDTH, in_order);
    let mut first = in_order == 0;
    loop {
        if !first && scan.next() {
            // Another field.
        } else if scan.eat(b'}') {
            break;
        } else if !first {
            return None;
        }
        first = false;
        match field::<S>(scan, seen)? {
            // A field that is given twice is serde_json's to judge.
            Field::Column(index) if !seen.mark(index) => return None,
            Field::Column(index) if !columns.scan_at(scan, index) => return None,
            Field::Column(_) => {}
            Field::Nested(place) => {
                let mut inside = serde_json::Deserializer::from_str(scan.value()?);
                Nested::<S> { columns, seen, place }.deserialize(&mut inside).ok()?;
            }
            Field::Unknown => _ = scan.value()?,
        }
    }
    let filled = scan.end() && seen.missing().all(|index| S::Fields::fill(columns, index));
    filled.then_some(())
}

/// Returns the kind of the next field.
#[inline]
fn field<S: Schema>(scan: &mut Scan<'_>, seen: &mut Seen) -> Option<Field> {
    let guess = seen.guess();
    if let Some(column) = S::SCHEMA.columns.get(guess)
        && column.is_read_by_name()
        && scan.name(column.name)
    {
        seen.found(guess);
        return Some(Field::Column(guess));
    }
    let name = scan.text()?;
    let field = match seen.search(S::SCHEMA, name) {
        Some(index) => {
            seen.found(index);
            Field::Column(index)
        }
        None => nested::root::<S>(name).map_or(Field::Unknown, Field::Nested),
    };
    let refused = matches!(field, Field::Unknown) && S::SCHEMA.deny_unknown && !RESERVED.contains(&name);
    (scan.colon() && !refused).then_some(field)
}
