//! [`TestedTables`]: each table of a connector under test, with its row type.

use crate::rows::column::tuple::for_tuples;
use crate::rows::schema::Schema;
use crate::rows::table::Table;

/// Lists the tables of a connector under test: a [`Table`], or a tuple of up to eight.
#[diagnostic::on_unimplemented(
    message = "expected a `Table<_>`, or a tuple of up to eight, found `{Self}`",
    label = "these are not the tables of a connector"
)]
pub trait TestedTables {
    /// The row type of the table, or a tuple of the row types of all tables.
    type Rows;

    /// Calls the visitor with each table, in order.
    #[doc(hidden)]
    fn visit(&self, visitor: &mut impl TableVisitor);
}

/// An operation on each table, for any row type.
#[doc(hidden)]
pub trait TableVisitor {
    fn table<S: Schema>(&mut self, table: &Table<S>);
}

impl<S: Schema> TestedTables for Table<S> {
    type Rows = S;

    fn visit(&self, visitor: &mut impl TableVisitor) {
        visitor.table(self);
    }
}

macro_rules! tuples {
    (($($S:ident $i:tt)+)) => {
        impl<$($S: Schema),+> TestedTables for ($(Table<$S>,)+) {
            type Rows = ($($S,)+);

            fn visit(&self, visitor: &mut impl TableVisitor) {
                $(visitor.table(&self.$i);)+
            }
        }
    };
}

for_tuples!(tuples, 8);
