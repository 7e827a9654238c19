//! Computations on tables with [Timely](https://docs.rs/timely) and [Differential
//! Dataflow](https://docs.rs/differential-dataflow), behind the feature `dataflow`.
//!
//! A computation is a closure from the collections of some tables to a collection of rows. The result is again a table:
//!
//! ```
//! # #[cfg(feature = "dataflow")] {
//! use pathway_io::{Pipeline, Schema, Subject, connector};
//!
//! #[derive(Schema)]
//! #[schema(dataflow)]
//! struct Cat {
//!     #[schema(primary_key)]
//!     key: i64,
//!     genus: String,
//! }
//!
//! #[derive(Schema)]
//! #[schema(dataflow)]
//! struct GenusCount {
//!     #[schema(primary_key)]
//!     genus: String,
//!     n: i64,
//! }
//!
//! struct Cats;
//!
//! #[connector]
//! impl Cats {
//!     fn run(&mut self, cats: Subject<Cat>) -> pathway_io::RunResult {
//!         cats.next(Cat { key: 1, genus: "felis".into() })?;
//!         cats.next(Cat { key: 2, genus: "felis".into() })?;
//!         Ok(())
//!     }
//! }
//!
//! let pipeline = Pipeline::new();
//! let cats = pipeline.read(Cats);
//! let counts =
//!     cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
//! let commits = counts.commits(16);
//! pipeline.run()?;
//! let last = commits.iter().last().expect("a commit");
//! assert!(last.iter().any(|update| update.row.genus == "felis" && update.row.n == 2));
//! # }
//! # Ok::<(), pathway_io::Error>(())
//! ```
//!
//! The guide [From a table to a computation](https://github.com/pathway-io/pathway-io/blob/main/docs/dataflow.md) is
//! for readers who know SQL or pandas. It shows the operations on a collection and the common mistakes.

// How a row flows:
//
// 1. The sequencer passes each whole commit of an input table to the workers, with its time (`inlet`).
// 2. Each worker has built the same dataflow (`engine`), with one region per computation (`computation`, `region`).
// 3. When no more updates of a time can arrive, the results of that time are gathered, consolidated and handed to the
//    sinks as one commit (`results`).
// 4. When the sinks have taken that commit, the input commit returns its space in the backlog (`flow`).

mod building;
mod cluster;
mod computation;
mod engine;
mod equal_rows;
mod export;
mod flow;
mod inlet;
mod partitioned;
mod ports;
mod projection;
mod region;
mod results;
mod row;
mod selection;
mod sync_requests;
mod table;
pub(crate) mod testing;
pub(crate) mod value;
mod workers;

pub use computation::compute;
pub use ports::Tables;
pub use projection::Projection;
pub use row::{Input, ResultRow, Row};
pub use {differential_dataflow, timely};

pub use crate::pipeline::workers::Workers;
pub use crate::source::partition::Partition;

/// A table inside a computation: rows, each with a time and a diff.
///
/// This is [`differential_dataflow::Collection`] for the rows and times of this library, with the same methods.
pub type Collection<'scope, S> = differential_dataflow::VecCollection<'scope, u64, S, isize>;
