//! Typed, back-pressured streams of table updates from any data source.

mod bad_rows;
mod batch;
mod clock;
pub mod column;
mod commit;
mod connector;
mod control;
mod decode;
mod error;
mod fields;
mod hook;
mod intake;
mod next;
mod options;
mod pipeline;
mod push;
mod ready;
mod row_error;
mod running;
mod schema;
mod sequencer;
mod signals;
mod sink;
mod source;
mod subject;
mod summary;
mod table;
pub mod testing;
mod threads;
mod transaction;
mod upsert;

pub use commit::{Commit, Update};
pub use connector::{Connector, Subjects};
pub use error::{Closed, Error, Failure, FailureKind, Result, RunResult};
pub use hook::Hook;
pub use options::{BadRows, ReadOptions};
pub use pathway_derive::{Schema, connector};
pub use pipeline::{Pipeline, StopHandle};
pub use ready::{Bytes, Text};
pub use row_error::RowError;
pub use running::Running;
pub use schema::{Column, DataType, Keyed, Schema, TableSchema};
pub use sink::{Sink, csv, jsonlines};
pub use subject::{Subject, TryNextError};
pub use summary::{SourceSummary, Stop, Summary};
pub use table::Table;
pub use transaction::{Transaction, TransactionTable};

/// What the macros' output refers to. It changes with every release and is for them alone.
#[doc(hidden)]
pub mod __private0 {
    pub use crate::connector::{
        Alias, AliasOf, Connector, Handle, HandleOf, IntoRunResult, NoSubjects, OffsetOf, OneSubject, Returns,
        Subjects, run_result,
    };
    pub use crate::error::RunResult;
    pub use crate::fields::{
        Col, Field, Fields, Flat, FlatField, FlatKey, FlatKeyField, KeyField, Pair, Stub, flat_key, key, missing,
    };
    pub use crate::next::{IntoColumn, assert_rest, convert, refused, rest};
    pub use crate::options::ReadOptions;
    pub use crate::schema::{
        Column, DataColumn, Keyed, Removable, Run, Schema, TableSchema, assert_distinct, assert_keyless,
        concat_columns, flat_columns, flat_key_columns,
    };
    pub use crate::table::Table;
    pub use pathway_derive::next;
    pub use std::default::Default;
    pub use std::option::Option::{self, None, Some};
    pub use std::string::String;
    pub use std::time::Duration;
}
