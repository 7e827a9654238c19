//! [`Declare`]: creates the tables that a connector's subjects feed, without naming a type of the pipeline.

use crate::rows::schema::Schema;
use crate::rows::table::Table;

/// Makes the tables of a connector.
#[doc(hidden)]
pub trait Declare {
    /// Adds the next table.
    fn table<S: Schema>(&mut self) -> Table<S>;
}
