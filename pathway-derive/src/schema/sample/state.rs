//! The columns of a schema while its sample is read.

use super::summary::Summary;
use crate::files::rows::{Cell, Named};
use crate::schema::ast::Column;
use crate::schema::path::Path;
use crate::types::option_of;

/// The field of a row, or the path to a value inside it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) is_inside: bool,
}

/// A column, and its values in the rows.
pub(super) struct State<'a> {
    pub(super) column: &'a Column<'a>,
    pub(super) summary: Summary,
    /// Whether an error about the column has been reported.
    pub(super) is_reported: bool,
}

impl<'a> State<'a> {
    pub(super) fn path(&self) -> Option<&'a Path> {
        self.column.options.path.get()
    }

    /// Returns the name or path of the column in a row.
    pub(super) fn name(&self) -> String {
        self.path().map_or_else(|| self.column.name.clone(), |path| path.literal.value())
    }

    pub(super) fn begins_in(&self, field: &Named) -> bool {
        matches!(field.cell, Cell::Json(_)) && self.path().is_some_and(|path| path.root() == field.name)
    }

    pub(super) fn reads(&self, field: &Named, is_inside: bool) -> bool {
        let column = self.column;
        match is_inside {
            true => self.path().is_some_and(|path| path.literal.value() == field.name),
            false if column.is_flat() || self.begins_in(field) => false,
            false => column.name == field.name || column.options.aliases.iter().any(|name| name.value() == field.name),
        }
    }

    pub(super) fn may_be_missing(&self) -> bool {
        self.column.default().is_some() || option_of(self.column.ty).is_some()
    }
}
