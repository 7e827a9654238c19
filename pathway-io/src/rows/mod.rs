//! Rows: their schemas, the typed columns that hold them, and the commits that carry them.

pub(crate) mod batch;
pub(crate) mod bounds;
pub(crate) mod builtin_schemas;
pub(crate) mod check;
#[cfg(any(feature = "arrow", feature = "postgres"))]
pub(crate) mod civil;
pub(crate) mod clashes;
pub mod column;
pub(crate) mod commit;
pub(crate) mod const_text;
pub(crate) mod data_type;
pub(crate) mod declaration;
pub(crate) mod decode;
pub(crate) mod describe;
pub(crate) mod description;
pub(crate) mod encode;
pub(crate) mod fields;
pub(crate) mod next;
pub(crate) mod path;
pub(crate) mod position;
pub(crate) mod refusal;
pub(crate) mod row_writer;
pub(crate) mod schema;
pub(crate) mod table;
