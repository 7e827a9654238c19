//! Typed, back-pressured streams of table updates from any data source.
//!
//! A data source for which no connector exists becomes one struct, the rows, and one `impl`, the source:
//!
//! ```
//! use pathway_io::{Pipeline, Schema, Subject, Update, connector};
//!
//! #[derive(Schema)]
//! struct Cat {
//!     #[schema(primary_key)]
//!     key: i64,
//!     genus: String,
//!     #[schema(default = 4.5)]
//!     weight: f64,
//! }
//!
//! struct Cats;
//!
//! #[connector]
//! impl Cats {
//!     fn run(&mut self, cats: Subject<Cat>) -> pathway_io::Result<()> {
//!         cats.next(Cat { key: 1, genus: "felis".into(), weight: 4.0 })?;
//!         cats.next_json(r#"{"key": 2, "genus": "lynx"}"#)?;
//!         cats.commit()?;
//!         cats.remove(1)?;
//!         Ok(())
//!     }
//! }
//!
//! let pipeline = Pipeline::new();
//! let cats = pipeline.read(Cats);
//! cats.subscribe(|update: &Update<Cat>| println!("{:+} {}", update.diff, update.row.genus));
//! let summary = pipeline.run()?;
//! assert_eq!(summary.sources[0].commits, 2);
//! # Ok::<(), pathway_io::Error>(())
//! ```
//!
//! | what you want | where it is |
//! |---|---|
//! | describe the rows | [`derive(Schema)`](macro@Schema), [`Keyed`], [`TableSchema`] |
//! | hold the rows to data, and to what they were | `sample` and `lock` of [`derive(Schema)`](macro@Schema), [`schema::assert_matches`] |
//! | find the struct for a file | [`schema::infer`] |
//! | tell databases, validators and Python what the rows are | [`TableSchema::sql_ddl`], [`TableSchema::json_schema`], [`TableSchema::pathway_class`] |
//! | write a source | [`macro@connector`], or [`Connector`] by hand; [`ReadOptions`] |
//! | push rows, remove them, commit | [`Subject`] |
//! | push a unit that nothing splits | [`Transaction`] |
//! | unblock a source when a stop comes | [`Subject::on_interrupt`] |
//! | lay out a pipeline and run it | [`Pipeline`], [`Running`], [`Summary`] |
//! | write files | [`csv`], [`jsonlines`]; with the feature `sqlite`, databases |
//! | be called, or read a channel | [`Table::subscribe`], [`Table::subscribe_commits`], [`Table::updates`] |
//! | write a sink | [`Sink`], [`Commit`], [`Update`] |
//! | go on after a restart, exactly once | [`Pipeline::persistent`], [`Subject::resume`], [`Subject::next_at`], [`Durability`], [`Offset`] |
//! | do something about bad rows | [`BadRows`], [`RowError`] |
//! | have a source run again after an error | [`Restart`], [`Error::fatal`] |
//! | test a source | [`testing`] |
//!
//! The library writes to neither stdout nor stderr, unless [`Pipeline::progress`] asks for it. It says what it does through
//! [`tracing`](https://docs.rs/tracing): starts, stops and errors, and at the debug level each commit.

#![cfg_attr(
    not(all(feature = "dataflow", feature = "persist", feature = "progress", feature = "sqlite")),
    allow(dead_code, reason = "the seams serve parts that this build leaves out")
)]

/// A place at which a test may have the process die; nothing at all without the feature `faults`.
macro_rules! crash_point {
    ($point:ident) => {
        #[cfg(feature = "faults")]
        crate::sink::file::faults::reach(crate::sink::file::faults::Point::$point);
    };
}

#[cfg(feature = "dataflow")]
pub mod dataflow;
/// Where and how often a pipeline runs. With the feature `dataflow`, also computations on tables.
#[cfg(not(feature = "dataflow"))]
pub mod dataflow {
    pub use crate::pipeline::workers::Workers;
    pub use crate::source::partition::Partition;
}
#[cfg(all(any(test, fuzzing), feature = "persist", feature = "infer"))]
#[doc(hidden)]
#[allow(missing_docs)]
pub mod fuzz;
#[cfg(any(doc, all(doctest, feature = "dataflow")))]
pub mod guide;
#[cfg(feature = "persist")]
mod persist;
mod pipeline;
mod rows;
mod run;
pub mod schema;
mod sequencer;
mod sink;
mod source;

pub use pathway_derive::{ColumnType, Schema, connector};
#[cfg(feature = "persist")]
pub use persist::Durability;
pub use pipeline::running::Running;
pub use pipeline::{Pipeline, StopHandle, progress};
pub use rows::builtin_schemas::{BytesRow, TextRow};
pub use rows::column::{self, ColumnType};
pub use rows::commit::{Commit, Update};
pub use rows::data_type::DataType;
pub use rows::schema::{Column, Keyed, Schema, TableSchema};
pub use rows::table::Table;
pub use run::error::row_error::RowError;
pub use run::error::{Closed, Error, Failure, FailureKind, Fatal, Result, RunResult};
pub use run::restart::Restart;
pub use run::summary::{SourceSummary, Stop, Summary};
#[cfg(feature = "faults")]
#[doc(hidden)]
pub use sink::file::faults;
pub use sink::options::SinkOptions;
#[cfg(feature = "sqlite")]
pub use sink::sqlite;
pub use sink::{Sink, csv, jsonlines};
#[cfg(feature = "async")]
pub use source::async_subject::{AsyncSubject, AsyncTransaction, JsonSink, OffsetSink, Permit, RowSink};
pub use source::connector::{Connector, Subjects};
pub use source::hook::Hook;
pub use source::lines::{BadLine, LinesError};
pub use source::offset::Offset;
pub use source::options::{BadRows, ReadOptions};
pub use source::subject::{Subject, TryNextError};
pub use source::transaction::{Transaction, TransactionTable};
#[cfg(not(feature = "async"))]
#[doc(hidden)]
pub use source::without_async::AsyncSubject;

/// Runs sources and computations in tests.
pub mod testing {
    #[cfg(feature = "dataflow")]
    pub use crate::dataflow::testing::compute;
    pub use crate::pipeline::testing::collect;
}

/// What the macros' output refers to. It changes with every release and is for them alone.
#[doc(hidden)]
pub mod __private0 {
    pub use crate::rows::bounds::{DataColumn, Removable};
    pub use crate::rows::column::any_json::{Json, JsonType, from_json, from_json_option, to_json_option};
    pub use crate::rows::column::derived::{Item, Newtype, NewtypeBuffer, VariantBuffer, Variants, is_inner_null};
    pub use crate::rows::column::list::ListBuffer;
    pub use crate::rows::column::{ColumnType, KeyType, NotNull};
    pub use crate::rows::data_type::DataType;
    pub use crate::rows::describe::{Clash, Note, assert_distinct, assert_keyless, clashes, describe, width};
    pub use crate::rows::fields::{
        Col, Field, Fields, Flat, FlatField, FlatKey, FlatKeyField, KeyField, Own, Pair, Stub, Tree, flat_columns,
        flat_key, flat_key_columns, key, missing, own_key,
    };
    pub use crate::rows::next::{IntoColumn, Rest, checked_rest, convert, refused, to_string};
    pub use crate::rows::schema::{Column, Keyed, Schema, TableSchema};
    pub use crate::rows::table::Table;
    pub use crate::run::error::RunResult;
    pub use crate::schema::glue::{
        Kind, Locked, LockedColumn, Sample, SampleField, assert_lock, assert_lock_needs_nothing, assert_locked,
        assert_sample, assert_sample_known,
    };
    pub use crate::source::connector::{Connector, Subjects};
    pub use crate::source::glue::{
        Handle, HandleOf, IfSchema, IfSubject, IntoRunResult, NoSubjects, OffsetOf, Partitioned, Returns, SubjectTypes,
        TableOf, checked, partition_of, run_result,
    };
    pub use crate::source::options::ReadOptions;
    pub use crate::source::partition::Partition;
    pub use pathway_derive::next;
    pub use std::clone::Clone;
    pub use std::default::Default;
    pub use std::marker::Send;
    pub use std::option::Option::{self, None, Some};
    pub use std::primitive::{bool, str, u16, usize};
    pub use std::time::Duration;

    /// What an `async fn run` needs, by the names that a `run` that is not async finds above.
    #[cfg(feature = "tokio")]
    pub mod tasks {
        pub use crate::source::async_subject::drive::{Drive, on_stop};
        pub use crate::source::async_subject::glue::{IfSubject, SubjectTypes, TableOf};
    }

    /// What `#[schema(dataflow)]` needs.
    #[cfg(feature = "dataflow")]
    pub mod dataflow {
        pub use crate::dataflow::value::*;
    }
}

/// The code blocks of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
