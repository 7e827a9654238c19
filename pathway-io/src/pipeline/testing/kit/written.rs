//! The rows that a sink under test has written, and the rows that it should have written.

use std::collections::BTreeMap;
use std::fmt;

use super::check::Verdict;
use crate::pipeline::testing::rows::text;
use crate::rows::commit::Commit;
use crate::rows::schema::Schema;

/// The return value of the reader of a sink under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Each update that was written, with its `diff`.
    Updates,
    /// The rows that the table has now.
    Rows,
}

/// An update that was written or should have been.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Written {
    pub(super) row: String,
    pub(super) diff: i64,
    /// `None` if the reader does not return it.
    pub(super) time: Option<u64>,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A row can contain a string of several kilobytes.
        let mut row: String = self.row.chars().take(600).collect();
        if row.len() < self.row.len() {
            row.push_str(" ..");
        }
        write!(f, "{:+} {row}", self.diff)?;
        self.time.map_or(Ok(()), |time| write!(f, " at {time}"))
    }
}

/// Whether the order of the rows that are read matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Same,
    Any,
}

/// Returns the rows that the reader should return.
pub(super) fn expected<S: Schema>(commits: &[Commit<S>], form: Form, has_times: bool) -> Vec<Written> {
    let updates = commits.iter().flat_map(|commit| {
        commit.rows().map(|(batch, row)| Written {
            row: text(batch, row, false),
            diff: batch.diff(row),
            time: has_times.then_some(commit.time()),
        })
    });
    if form == Form::Updates {
        return updates.collect();
    }
    let mut table: BTreeMap<String, i64> = BTreeMap::new();
    for update in updates {
        *table.entry(update.row).or_default() += update.diff;
    }
    let present = table.into_iter().filter(|(_, count)| *count > 0);
    present.map(|(row, _)| Written { row, diff: 1, time: None }).collect()
}

/// Returns the first difference between the rows that a sink should have written and those that it has.
pub(super) fn equal(expected: &[Written], found: &[Written]) -> Verdict {
    let differs = |(expected, found): (&Written, &Written)| expected != found;
    if let Some(place) = expected.iter().zip(found).position(differs) {
        return Err(format!("number {}: expected\n  {}\nfound\n  {}", place + 1, expected[place], found[place]));
    }
    match (expected.get(found.len()), found.get(expected.len())) {
        (Some(missing), _) => Err(format!(
            "expected {} rows, found {}: the first missing row is\n  {missing}",
            expected.len(),
            found.len()
        )),
        (_, Some(more)) => {
            Err(format!("expected {} rows, found {}: the first extra row is\n  {more}", expected.len(), found.len()))
        }
        (None, None) => Ok(()),
    }
}
