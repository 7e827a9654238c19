//! Sources: connectors, the handles that they push through, and the intake in which pushed rows wait for a commit.

#[cfg(feature = "async")]
pub(crate) mod async_subject;
pub(crate) mod at_offset;
pub(crate) mod bad_rows;
pub(crate) mod connector;
pub(crate) mod declare;
pub(crate) mod glue;
pub(crate) mod hook;
pub(crate) mod intake;
pub(crate) mod lines;
pub(crate) mod offset;
pub(crate) mod on_durable;
pub(crate) mod options;
pub(crate) mod partition;
pub(crate) mod push;
pub(crate) mod run_loop;
pub(crate) mod shared;
pub(crate) mod subject;
pub(crate) mod transaction;
pub(crate) mod try_next_error;
pub(crate) mod try_push;
#[cfg(not(feature = "async"))]
pub(crate) mod without_async;
