//! [`FailingSinks`]: sinks of which one fails.

use std::sync::{Arc, OnceLock};

use crate::pipeline::testing::tables::TableVisitor;
use crate::rows::commit::Commit;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::run::error::RunResult;
use crate::sink::Sink;

/// Attaches a sink to each table. The first sink that receives a commit fails.
#[derive(Default)]
pub(super) struct FailingSinks {
    /// The number of the table whose sink fails.
    failing: Arc<OnceLock<usize>>,
    tables: usize,
}

impl TableVisitor for FailingSinks {
    fn table<S: Schema>(&mut self, table: &Table<S>) {
        table.write_to(Failing { table: self.tables, failing: Arc::clone(&self.failing) });
        self.tables += 1;
    }
}

struct Failing {
    table: usize,
    failing: Arc<OnceLock<usize>>,
}

impl<S: Schema> Sink<S> for Failing {
    fn write(&mut self, _: &Commit<S>) -> RunResult {
        if *self.failing.get_or_init(|| self.table) == self.table {
            return Err("a sink that fails, of the test kit".into());
        }
        Ok(())
    }
}
