//! Two schemas for sources that have nothing but text or bytes.

use pathway_derive::Schema;

/// Rows of one `data` column of text, for [`Subject::next_str`](crate::Subject::next_str).
#[derive(Schema, Debug, Clone, PartialEq, Eq, Hash)]
#[schema(crate = crate)]
pub struct TextRow {
    /// The text.
    pub data: String,
}

/// Rows of one `data` column of bytes, for [`Subject::next_bytes`](crate::Subject::next_bytes).
#[derive(Schema, Debug, Clone, PartialEq, Eq, Hash)]
#[schema(crate = crate)]
pub struct BytesRow {
    /// The bytes.
    pub data: Vec<u8>,
}
