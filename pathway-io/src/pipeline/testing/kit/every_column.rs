//! [`EveryColumn`]: a row with a column of each type.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use pathway_derive::Schema;
use serde_json::Value;

/// A row with a column of each type that needs no other crate, for [`sink_tests!`](crate::sink_tests).
#[derive(Schema, Debug, Clone, PartialEq)]
#[schema(crate = crate)]
#[allow(missing_docs, reason = "each column is named after its type")]
pub struct EveryColumn {
    #[schema(primary_key)]
    pub key: i64,
    pub bool: bool,
    pub i8: i8,
    pub i16: i16,
    pub i32: i32,
    pub i64: i64,
    pub i128: i128,
    pub u8: u8,
    pub u16: u16,
    pub u32: u32,
    pub u64: u64,
    pub u128: u128,
    pub f32: f32,
    pub f64: f64,
    pub text: String,
    pub bytes: Vec<u8>,
    pub json: Value,
    pub duration: Duration,
    pub instant: SystemTime,
    pub optional_number: Option<i64>,
    pub optional_text: Option<String>,
    pub list: Vec<i64>,
    pub texts: Vec<Option<String>>,
    pub array: [f64; 2],
    pub tuple: (bool, String),
    pub map: BTreeMap<String, u32>,
}
