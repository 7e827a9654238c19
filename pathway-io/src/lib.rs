//! Turns any data source into a typed, back-pressured, restartable stream of table updates.
//!
//! You write one struct (the rows) and one `impl` block (the source). The library provides atomic commits, upserts by
//! key, bounded memory and an orderly stop. A persistent pipeline continues after a kill, and writes each row exactly
//! once.
//!
//! # Quick start
//!
//! ```
//! use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};
//!
//! #[derive(Schema)]
//! struct Cat {
//!     #[schema(primary_key)]
//!     key: i64,
//!     genus: String,
//! }
//!
//! struct Cats;
//!
//! #[connector]
//! impl Cats {
//!     fn run(&mut self, cats: Subject<Cat>) -> RunResult {
//!         cats.next(Cat { key: 1, genus: "felis".into() })?;
//!         cats.next_json(r#"{"key": 2, "genus": "puma"}"#)?;
//!         cats.commit()?;
//!         cats.next(Cat { key: 2, genus: "lynx".into() })?; // cat 2 changes
//!         Ok(())
//!     }
//! }
//!
//! let pipeline = Pipeline::new();
//! let cats = pipeline.read(Cats);
//! csv::write(&cats, "zoo.csv");
//! pipeline.run()?;
//! # Ok::<(), pathway_io::Error>(())
//! ```
//!
//! The program writes this file. A `diff` of 1 adds a row, and -1 retracts one:
//!
//! ```csv
//! key,genus,time,diff
//! 1,felis,1795963910146,1
//! 2,puma,1795963910146,1
//! 2,puma,1795963910147,-1
//! 2,lynx,1795963910147,1
//! ```
//!
//! The [tutorial](guide::tutorial) continues from here, and the [cookbook](guide::cookbook) has recipes. If you know
//! `pw.io.python.ConnectorSubject`, read [coming from Pathway](guide::coming_from_pathway).
//!
//! # Concepts
//!
//! - A **schema** is a row struct with [`derive(Schema)`](macro@Schema): the typed columns of a table.
//! - A **connector** is a struct whose `impl` block has [`#[connector]`](macro@connector). Its `run` reads your data. A
//!   **source** is a connector that a pipeline runs, on its own thread.
//! - A [`Subject`] is the handle through which `run` pushes rows into one table. Clones push from any thread.
//! - A **commit** is the unit that sinks receive: all updates of one time. Sinks receive commits in order. Rows are
//!   committed by [`commit`](Subject::commit), by a [`Transaction`], by the autocommit timer (1.5 s), by a full
//!   backlog, and at the end of `run`.
//! - A **primary key** makes pushes upserts: a row replaces the row with its key. [`remove`](Subject::remove) retracts
//!   it.
//! - The **backlog** bounds memory. A push waits while the slowest sink is too far behind.
//!
//! # Errors and stopping
//!
//! `?` ends `run`. The rows before it are committed, and the pipeline stops with an [`Error`] that names the connector
//! and the cause. [`BadRows`] skips or quarantines rows that do not fit, and [`Restart`] calls `run` again after an
//! error.
//!
//! Ctrl-C, SIGTERM, SIGHUP, a [`StopHandle`] and any failure stop the pipeline in order: subjects are closed, hooks are
//! called, sources and sinks finish within the [grace period](Pipeline::grace_period). Every push then returns
//! [`Closed`]. If `run` is blocked in a call of another library, register a hook with
//! [`on_interrupt`](Subject::on_interrupt) that ends the call. `on_stop` is for cleaning up: it runs once, after `run`.
//!
//! # Where to find what
//!
//! | task | items |
//! |---|---|
//! | describe rows | [`derive(Schema)`](macro@Schema), [`derive(ColumnType)`](macro@ColumnType), [`Keyed`], [`TableSchema`] |
//! | check rows at compile time | `sample` and `lock` of [`derive(Schema)`](macro@Schema), [`schema::assert_matches`] |
//! | find the struct for a file | `schema::infer` |
//! | describe rows to databases, validators and Python | `TableSchema::sql_ddl`, `json_schema`, `pathway_class` |
//! | write a source | [`macro@connector`], [`Connector`], [`ReadOptions`]; `AsyncSubject` for an `async fn run` |
//! | push rows, remove them, commit | [`Subject`], [`next!`], [`Transaction`]; [how to choose](guide::cookbook#choose-how-to-push) |
//! | run a pipeline | [`Pipeline`], [`Running`], [`StopHandle`], [`Summary`] |
//! | write files and databases | [`csv`], [`jsonlines`], `sqlite`, `postgres`, `parquet`; [`SinkOptions`] |
//! | receive updates in code | [`Table::subscribe`], [`Table::subscribe_commits`], [`Table::commits`] |
//! | write a sink | [`Sink`], [`Commit`], [`Update`] |
//! | compute on tables, or on some of their columns | `Table::compute`, `Table::columns`, [`dataflow`] |
//! | resume after a restart | `Pipeline::persistent`, [`Subject::resume`], [`Subject::next_at`], [`Offset`] |
//! | handle bad rows and failing sources | [`BadRows`], [`RowError`], [`Restart`], [`Error::fatal`] |
//! | test a source or a sink | [`testing`], `connector_tests!`, `sink_tests!` |
//! | watch a run | [`monitor`], [`Pipeline::progress`], [`progress`] |
//! | run a service: signals, exit codes, logs | [recipe](guide::cookbook#run-a-pipeline-as-a-service) |
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `persist` (default) | `Pipeline::persistent`: a pipeline that resumes after a restart |
//! | `infer` (default) | `schema::infer`: the struct that fits sample data |
//! | `export` (default) | schemas as JSON Schema, SQL and Pathway classes |
//! | `dataflow` | computations on tables, with Timely and Differential Dataflow |
//! | `async`, `tokio` | `AsyncSubject` for tasks of any runtime; connectors with an `async fn run` on tokio |
//! | `sqlite`, `postgres`, `parquet` | sinks that write a table to a database or to Parquet files, each commit once |
//! | `progress` | progress lines on the terminal |
//! | `metrics` | snapshots of a run through the `metrics` facade |
//! | `arrow` | `TableSchema::arrow_schema`, `Commit::record_batch` |
//! | `jiff`, `chrono`, `uuid`, `rust_decimal`, `bytes` | column types from the crate of that name |
//!
//! The library writes to neither stdout nor stderr, unless [`Pipeline::progress`] asks for it. It logs through
//! [`tracing`](https://docs.rs/tracing): starts, stops and errors, and each commit at the debug level.

#![cfg_attr(
    not(all(feature = "dataflow", feature = "persist", feature = "progress", feature = "sqlite")),
    allow(dead_code, reason = "the seams serve parts that this build leaves out")
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

/// A place at which a test can kill the process. Without the feature `faults`, it expands to nothing.
macro_rules! crash_point {
    ($point:ident) => {
        #[cfg(feature = "faults")]
        crate::sink::file::faults::reach(crate::sink::file::faults::Point::$point);
    };
}

#[cfg(feature = "dataflow")]
pub mod dataflow;
/// The workers of a pipeline, the partitions of a source, and computations on tables (feature `dataflow`).
#[cfg(not(feature = "dataflow"))]
pub mod dataflow {
    pub use crate::pipeline::workers::Workers;
    pub use crate::source::partition::Partition;

    /// This stub is never compiled. rustc finds it and reports that the function needs the feature.
    #[cfg(feature = "dataflow")]
    pub fn compute() {}
}
#[cfg(all(any(test, fuzzing), feature = "persist", feature = "infer"))]
#[doc(hidden)]
#[allow(missing_docs, reason = "not a part of the public API")]
pub mod fuzz;
#[cfg(any(doc, doctest))]
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
pub use pipeline::{Pipeline, StopHandle, monitor, progress};
pub use rows::builtin_schemas::{BytesRow, TextRow};
pub use rows::check::RowCheck;
pub use rows::column::raw_json::RawJson;
pub use rows::column::{self, ColumnType};
pub use rows::commit::{Commit, Update};
pub use rows::data_type::DataType;
pub use rows::description::{Column, TableSchema};
pub use rows::schema::{Keyed, Schema};
pub use rows::table::Table;
pub use run::error::row_error::RowError;
pub use run::error::{Closed, Error, Failure, FailureKind, Fatal, Result, RunResult};
pub use run::quarantine::BadRows;
pub use run::restart::Restart;
pub use run::summary::{SourceSummary, Stop, Summary};
#[cfg(feature = "faults")]
#[doc(hidden)]
pub use sink::file::faults;
pub use sink::options::SinkOptions;
#[cfg(feature = "parquet")]
pub use sink::parquet;
#[cfg(feature = "postgres")]
pub use sink::postgres;
#[cfg(feature = "sqlite")]
pub use sink::sqlite;
pub use sink::{Sink, csv, jsonlines};
#[cfg(feature = "async")]
pub use source::async_subject::{AsyncSubject, AsyncTransaction, JsonSink, OffsetSink, Permit, RowSink};
pub use source::connector::{Connector, Subjects};
pub use source::hook::Hook;
pub use source::lines::{BadLine, LinesError};
pub use source::offset::Offset;
pub use source::options::ReadOptions;
pub use source::subject::Subject;
pub use source::transaction::{Transaction, TransactionTable};
pub use source::try_next_error::TryNextError;
#[cfg(not(feature = "async"))]
#[doc(hidden)]
pub use source::without_async::AsyncSubject;

/// Expands to its tokens, which only an editor reads.
#[doc(hidden)]
#[macro_export]
macro_rules! __as_it_is {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Runs sources, sinks and computations in tests.
pub mod testing {
    #[cfg(feature = "dataflow")]
    pub use crate::dataflow::testing::compute;
    #[cfg(feature = "persist")]
    pub use crate::pipeline::testing::EveryColumn;
    pub use crate::pipeline::testing::{Clock, Harness, Report, Step, Stuck, TestedTables, collect, script};
}

/// Names for the output of the macros alone. They change with every release.
#[doc(hidden)]
pub mod __private0 {
    /// Functions that the output of `connector_tests!` and `sink_tests!` calls.
    #[cfg(feature = "persist")]
    pub mod testing {
        pub use crate::pipeline::testing::kit::check::{Check, Length, SinkCheck};
        pub use crate::pipeline::testing::kit::sinks::SinkSuite;
        pub use crate::pipeline::testing::kit::suite::Suite;
        pub use crate::pipeline::testing::kit::written::Form;
    }
    pub use crate::__as_it_is as as_it_is;
    pub use crate::rows::bounds::{DataColumn, Removable};
    pub use crate::rows::clashes::{Clash, assert_distinct, assert_unreserved, clashes};
    pub use crate::rows::column::any_json::{Json, JsonType, from_json_option};
    pub use crate::rows::column::converted::{
        ByTraits, Conversion, Converted, ConvertedField, converted, converted_key, from_converted_option,
    };
    pub use crate::rows::column::derived::{Item, VariantBuffer, Variants};
    pub use crate::rows::column::list::ListBuffer;
    pub use crate::rows::column::represented::{Represented, RepresentedBuffer, is_inner_null};
    pub use crate::rows::column::{ColumnType, KeyType, NotNull};
    pub use crate::rows::data_type::DataType;
    pub use crate::rows::declaration::{Declaration, Note};
    pub use crate::rows::describe::{
        Generic, assert_keyless, count_names, prefixed_len, prefixed_names, prefixed_text, width,
    };
    pub use crate::rows::description::{Column, PathStep, TableSchema};
    pub use crate::rows::fields::{
        Col, Field, Fields, Flat, FlatField, FlatKeyField, KeyField, Own, Pair, Stub, Tree, flat_columns, flat_key,
        flat_parts, key, missing, own_key,
    };
    pub use crate::rows::next::{FromValue, Rest, checked_rest, convert, refused, sketched, to_string};
    pub use crate::rows::schema::{Keyed, Schema};
    pub use crate::rows::table::Table;
    pub use crate::run::error::RunResult;
    pub use crate::schema::glue::{
        Locked, LockedColumn, SampleFault, SampleField, assert_flat_sample, assert_lock, assert_lock_needs_nothing,
        assert_locked, assert_sample, assert_sample_known, number,
    };
    pub use crate::source::connector::{Connector, Subjects};
    pub use crate::source::glue::{
        AsWritten, HandleOf, IfOffset, IfSchema, IfSubject, IntoRunResult, NoSubjects, OffsetOf, Partitioned, Returns,
        SubjectHandle, SubjectTypes, TableOf, checked, clone_partition, run_result,
    };
    pub use crate::source::options::ReadOptions;
    pub use crate::source::partition::Partition;
    pub use pathway_derive::{next, sketch};
    pub use std::any::Any;
    pub use std::clone::Clone;
    pub use std::convert::{Into, TryFrom};
    pub use std::default::Default;
    pub use std::marker::Send;
    pub use std::ops::{FnMut, FnOnce};
    pub use std::option::Option::{self, None, Some};
    pub use std::primitive::{bool, str, u8, u16, usize};
    pub use std::result::Result;
    pub use std::string::String;
    pub use std::time::Duration;

    /// The options that an editor completes.
    #[cfg(rust_analyzer)]
    pub mod options {
        pathway_derive::options! {}
    }

    /// Names for an `async fn run`, the same as those above for a `run` that is not async.
    #[cfg(feature = "tokio")]
    pub mod tasks {
        pub use crate::source::async_subject::drive::{Drive, on_stop};
        pub use crate::source::async_subject::tasks::{AsyncSubjectTypes as SubjectTypes, IfSubject, TableOf};
    }

    /// Names for the output of `#[schema(dataflow)]`.
    #[cfg(feature = "dataflow")]
    pub mod dataflow {
        pub use crate::dataflow::value::*;
    }
}

/// The code blocks of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
