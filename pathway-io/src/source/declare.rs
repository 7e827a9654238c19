//! [`Declare`]: how a connector's subjects make the tables that they feed, without a name from the pipeline.

use crate::rows::schema::Schema;
use crate::rows::table::Table;

/// Makes the tables of a connector.
#[doc(hidden)]
pub trait Declare {
    /// Adds the next table.
    fn table<S: Schema>(&mut self) -> Table<S>;
}
