//! Reads a row with the scan. As long as the columns come in their order, code that knows the next name reads them. The
//! scan then reads the fields that are out of order one by one, until it expects the columns to be in order again.

use serde::de::DeserializeSeed;

use super::Seen;
use super::nested::{self, Nested};
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
    let passed = scan.name_start(scan.is_first()).is_some_and(|name| {
        let is_known = seen.names(S::SCHEMA).find(&name).is_some();
        !is_known && scan.unknown_name(name.at).is_some() && scan.colon() && scan.pass_value()
    });
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
    let mut first = scan.is_first();
    while !closed {
        let Some(start) = scan.name_start(first) else {
            if !scan.close() {
                return None;
            }
            closed = true;
            continue;
        };
        first = false;
        if let Some(known) = seen.names(S::SCHEMA).find(&start) {
            let index = known.column;
            scan.pass_name(&start, &known.name);
            seen.found(index);
            if !(scan.colon() && seen.mark(index) && columns.scan_at(scan, index)) {
                return None;
            }
        } else {
            other_field::<S>(columns, scan, seen, start.at)?;
        }
        if let Some(due) = seen.due() {
            (scan.in_order, scan.from) = (due..due, due);
            return Some(false);
        }
    }
    let filled = seen.missing().all(|index| refusal::fill::<S>(columns, index));
    filled.then_some(true)
}

/// Reads a field that is not a column. Columns can be inside it. Its name begins at `at`.
fn other_field<S: Schema>(columns: &mut ColumnsOf<S>, scan: &mut Scan<'_>, seen: &mut Seen, at: usize) -> Option<()> {
    let name = scan.unknown_name(at)?;
    if !scan.colon() {
        return None;
    }
    if let Some(place) = nested::root::<S>(name) {
        let mut inside = serde_json::Deserializer::from_str(scan.value()?);
        return Nested::<S> { columns, seen, place }.deserialize(&mut inside).ok();
    }
    if S::SCHEMA.deny_unknown && !RESERVED.contains(&name) {
        return None;
    }
    seen.expects_unknown = true;
    scan.pass_value().then_some(())
}
