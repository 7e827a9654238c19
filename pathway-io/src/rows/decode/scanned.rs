//! Reads a row with the scan. As long as the columns come in their order, code that knows the next name reads them. The
//! scan then reads the fields that are out of order one by one, until it expects the columns to be in order again.

use serde::de::DeserializeSeed;

use super::Seen;
use super::nested::{self, Field, Nested};
use crate::rows::column::scan::Scan;
use crate::rows::description::RESERVED;
use crate::rows::fields::Columns;
use crate::rows::path;
use crate::rows::refusal;
use crate::rows::schema::{ColumnsOf, Schema};

/// Appends the row to columns that have `len` rows. If the scan gives up, the columns are unchanged.
#[inline]
pub(super) fn scan<S: Schema>(columns: &mut ColumnsOf<S>, len: usize, text: &str, seen: &mut Seen) -> bool {
    let mut scan = Scan::new(text);
    if !scan.open() {
        return false;
    }
    let mut is_new = true;
    loop {
        let to_last = columns.scan(&mut scan, S::SCHEMA.columns, 0);
        if to_last {
            scan.in_order.end = ColumnsOf::<S>::WIDTH;
        }
        let closed = to_last && scan.close();
        if closed && is_new {
            return true;
        }
        if seen.expects_unknown && !closed {
            seen.expects_unknown = pass_unknown::<S>(&mut scan, seen);
            if seen.expects_unknown {
                scan.from = scan.in_order.end;
                continue;
            }
        }
        match leave_order::<S>(columns, &mut scan, seen, is_new, closed) {
            Some(true) => return true,
            Some(false) => is_new = false,
            None => {
                columns.truncate(len);
                return false;
            }
        }
    }
}

/// Passes over the next field if it is unknown. Otherwise the place stays where it is.
///
/// The scan then continues with the columns in order. This takes two thirds of the instructions of [`leave_order`],
/// which also records the columns that were read.
#[inline(never)]
fn pass_unknown<S: Schema>(scan: &mut Scan<'_>, seen: &mut Seen) -> bool {
    if const { S::SCHEMA.deny_unknown || path::any(S::SCHEMA.columns) } || scan.gave_up() {
        return false;
    }
    let start = scan.place();
    let passed = (scan.is_first() || scan.next())
        && scan.name().is_some_and(|name| seen.is_unknown(S::SCHEMA, name))
        && scan.colon()
        && scan.pass_value();
    if !passed {
        scan.go_back(start);
    }
    passed
}

/// Reads the fields after some that were in order. Returns `false` if the following columns are expected to be in order
/// again, and `true` at the end of the row, after missing columns were filled in.
#[inline(never)]
fn leave_order<S: Schema>(
    columns: &mut ColumnsOf<S>,
    scan: &mut Scan<'_>,
    seen: &mut Seen,
    is_new: bool,
    mut closed: bool,
) -> Option<bool> {
    if is_new {
        seen.start(ColumnsOf::<S>::WIDTH);
    }
    // If a field is given twice, serde_json reports it.
    if scan.gave_up() || !seen.mark_all(scan.in_order.clone()) {
        return None;
    }
    while !closed {
        let first = scan.is_first();
        if !first && scan.next() {
            // Another field.
        } else if scan.eat(b'}') {
            closed = scan.end();
            if !closed {
                return None;
            }
            break;
        } else if !first {
            return None;
        }
        match field::<S>(scan, seen)? {
            Field::Column(index) if !seen.mark(index) => return None,
            Field::Column(index) if !columns.scan_at(scan, index) => return None,
            Field::Column(_) => {}
            Field::Nested(place) => {
                let mut inside = serde_json::Deserializer::from_str(scan.value()?);
                Nested::<S> { columns, seen, place }.deserialize(&mut inside).ok()?;
            }
            Field::Unknown if !scan.pass_value() => return None,
            Field::Unknown => seen.expects_unknown = true,
        }
        if let Some(due) = seen.due() {
            (scan.in_order, scan.from) = (due..due, due);
            return Some(false);
        }
    }
    let filled = seen.missing().all(|index| refusal::fill::<S>(columns, index));
    filled.then_some(true)
}

/// Returns the kind of the next field.
#[inline(always)]
fn field<S: Schema>(scan: &mut Scan<'_>, seen: &mut Seen) -> Option<Field> {
    let name = scan.name()?;
    let field = match seen.search(S::SCHEMA, name) {
        Some(index) => Field::Column(index),
        None => nested::root::<S>(name.text).map_or(Field::Unknown, Field::Nested),
    };
    let is_reserved = || RESERVED.iter().any(|reserved| reserved.as_bytes() == name.text);
    let refused = matches!(field, Field::Unknown) && S::SCHEMA.deny_unknown && !is_reserved();
    (scan.colon() && !refused).then_some(field)
}
