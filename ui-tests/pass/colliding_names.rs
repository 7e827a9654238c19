#![allow(dead_code)]

use pathway_io::Schema;

mod types {
    pub type Value = serde_json::Value;
    pub type Column = i64;
    pub type Batch = String;
    pub type Option = u8;
}
use types::{Batch, Column, Value};

const COLUMNS: i64 = 5;

fn value() -> i64 {
    COLUMNS
}

#[derive(Schema)]
struct Schemata {
    value: Value,
    column: Column,
    batch: Batch,
    option: types::Option,
    #[schema(default = value())]
    made: i64,
    #[schema(default = COLUMNS)]
    columns: i64,
    #[schema(default = Self::own())]
    fields: i64,
    key: i64,
    field_0: i64,
    subjects: i64,
}

impl Schemata {
    fn own() -> i64 {
        7
    }
}

fn main() {
    let schema = Schemata::schema();
    assert_eq!(schema.columns[4].default_value(), Some(5.into()));
    assert_eq!(schema.columns[5].default_value(), Some(5.into()));
    assert_eq!(schema.columns[6].default_value(), Some(7.into()));
}
