//! `#[schema(path = "seller.name")]`: the path by which a column is read in a row's JSON.
//!
//! The macro parses it. This file has its steps, and the functions that compare them at compile time; `decode` follows
//! them. In a row that the library has written, the column has its own name.

use std::fmt;

use crate::rows::const_text::same;
use crate::rows::description::{Column, PathStep};

/// The first steps of a path, as they are written.
pub(crate) struct Steps(pub(crate) &'static [PathStep]);

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Field(name) if i == 0 => f.write_str(name)?,
                PathStep::Field(name) => write!(f, ".{name}")?,
                PathStep::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Column {
    /// Returns the field of the row in which the path begins.
    pub(crate) const fn root(&self) -> Option<&'static str> {
        match self.steps {
            [PathStep::Field(root), ..] => Some(root),
            _ => None,
        }
    }

    /// Returns whether a row may contain the column under its own name. It may not if the path begins in a field of
    /// that name.
    #[inline]
    pub(crate) const fn is_read_by_name(&self) -> bool {
        match self.root() {
            Some(root) => !same(root, self.name),
            None => true,
        }
    }
}

/// Returns whether a column has a path.
pub(crate) const fn any(columns: &[Column]) -> bool {
    let mut i = 0;
    while i < columns.len() {
        if !columns[i].steps.is_empty() {
            return true;
        }
        i += 1;
    }
    false
}

/// Returns whether one path begins with the other, so that both read one value.
pub(crate) const fn overlap(a: &[PathStep], b: &[PathStep]) -> bool {
    let (mut i, least) = (0, if a.len() < b.len() { a.len() } else { b.len() });
    while i < least {
        let is_same = match (a[i], b[i]) {
            (PathStep::Field(a), PathStep::Field(b)) => same(a, b),
            (PathStep::Item(a), PathStep::Item(b)) => a == b,
            _ => false,
        };
        if !is_same {
            return false;
        }
        i += 1;
    }
    least > 0
}
