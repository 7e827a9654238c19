//! A schema that replaces another after an error of the macros. A program that contains it does not compile.

use super::Own;
use crate::rows::declaration::Declaration;
use crate::rows::description::{Column, TableSchema};
use crate::rows::schema::Schema;

/// The row type of a table if the macro cannot recognise the real one.
#[doc(hidden)]
pub struct Stub;

impl Schema for Stub {
    type Fields = Own<bool>;
    type Array = [Column; 0];
    const DECLARATION: Declaration = Declaration::new(TableSchema::new("Stub"), &[], &[], &[], &[], &[], &[]);

    fn into_fields(self) -> bool {
        false
    }

    fn from_fields(_: bool) -> Self {
        Stub
    }
}
