//! Compares the pushes of two runs, table by table.

use std::collections::HashMap;

use super::check::{Length, Verdict};
use crate::pipeline::testing::report::Report;
use crate::pipeline::testing::rows::Pushed;
use crate::rows::description::TableSchema;

/// The pushes to one table, in order.
#[derive(Debug, Clone)]
pub(super) struct TableRows {
    /// The prefix that names the table in a text, if there are several tables.
    pub(super) place: String,
    pub(super) schema: &'static TableSchema,
    /// Each push with the time of its commit.
    pub(super) pushes: Vec<(u64, Pushed)>,
}

impl TableRows {
    pub(super) fn rows(&self) -> impl Iterator<Item = &Pushed> {
        self.pushes.iter().map(|(_, row)| row)
    }

    /// Returns the rows of commits after a time.
    pub(super) fn after(&self, time: u64) -> Self {
        let pushes = self.pushes.iter().filter(|(at, _)| *at > time).cloned().collect();
        TableRows { place: self.place.clone(), pushes, ..*self }
    }

    pub(super) fn sort(&mut self) {
        self.pushes.sort_by(|(_, one), (_, other)| one.cmp(other));
    }
}

/// Returns the pushes to each table.
pub(super) fn all<S>(report: &Report<S>) -> Vec<TableRows> {
    let tables = report.tables.iter().enumerate();
    let count = report.tables.len();
    tables
        .map(|(number, table)| {
            let (schema, pushes) = (table.schema(), table.pushes());
            let place = match count {
                1 => String::new(),
                _ => format!("in table {} of {count}, `{}`: ", number + 1, schema.name),
            };
            TableRows { place, schema, pushes }
        })
        .collect()
}

/// Returns the number of rows in all tables.
pub(super) fn count(tables: &[TableRows]) -> usize {
    tables.iter().map(|table| table.pushes.len()).sum()
}

/// Checks that nothing is missing in any table. A source without offsets can send rows again.
pub(super) fn contains(found: &[TableRows], expected: &[TableRows]) -> Verdict {
    for (found, expected) in found.iter().zip(expected) {
        let mut count: HashMap<&Pushed, usize> = HashMap::new();
        for row in found.rows() {
            *count.entry(row).or_default() += 1;
        }
        for row in expected.rows() {
            match count.get_mut(row).filter(|left| **left > 0) {
                Some(left) => *left -= 1,
                None => return Err(format!("{}{row} is missing", expected.place)),
            }
        }
    }
    Ok(())
}

/// Compares the found rows with the expected ones, table by table. An endless source may have sent more.
pub(super) fn same(expected: &[TableRows], found: &[TableRows], length: Length) -> Verdict {
    expected.iter().zip(found).try_for_each(|(expected, found)| {
        same_rows(expected, found, length).map_err(|difference| format!("{}{difference}", expected.place))
    })
}

fn same_rows(expected: &TableRows, found: &TableRows, length: Length) -> Verdict {
    let (expected, found) = (&expected.pushes, &found.pushes);
    for (place, (_, row)) in expected.iter().enumerate() {
        match found.get(place) {
            Some((_, other)) if other == row => {}
            Some((_, other)) => return Err(format!("row {}: expected {row}, found {other}", place + 1)),
            None => return Err(format!("expected {} rows, found {}", expected.len(), found.len())),
        }
    }
    match found.get(expected.len()) {
        Some((_, more)) if matches!(length, Length::Ends) => {
            Err(format!("expected {} rows, found {}: the first extra row is {more}", expected.len(), found.len()))
        }
        _ => Ok(()),
    }
}
