//! Async connectors: the handle in any runtime, and the life of an `async fn run`. The cases of the contract run once
//! more, with [`blocking`] handles over async ones.

#[path = "../contract/backlog.rs"]
mod backlog;
#[path = "../contract/bad_rows.rs"]
mod bad_rows;
#[allow(dead_code, reason = "its handles are not of this kind")]
#[path = "../common/mod.rs"]
mod base;
#[allow(dead_code, reason = "other cases need the rest")]
mod blocking;
#[path = "../contract/commit.rs"]
mod commit;
mod common {
    pub use crate::base::*;
    pub use crate::blocking::{Subject, Transaction, numbers, source};
}
mod fairness;
mod handle;
#[path = "../contract/hook.rs"]
mod hook;
#[path = "../contract/json_column.rs"]
mod json_column;
mod life;
#[path = "../contract/model.rs"]
mod model;
#[path = "../contract/offset.rs"]
mod offset;
#[path = "../contract/panic.rs"]
mod panic;
#[path = "../contract/replace_all.rs"]
mod replace_all;
#[path = "../contract/restart.rs"]
mod restart;
#[path = "../contract/stop.rs"]
mod stop;
#[path = "../contract/upsert.rs"]
mod upsert;
