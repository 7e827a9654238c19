//! Constants and statics of the user, with names that the expansions might bind.

#![allow(non_upper_case_globals, dead_code)]

use pathway_io::{ColumnType, Schema};

const fields: u8 = 1;
const field_0: u8 = 1;
static field_1: u8 = 2;
static value: u8 = 3;
const key: u8 = 4;
const data: &str = "data";
const index: u16 = 0;
const inner: u8 = 0;
const other: u8 = 0;
const f: u8 = 0;
const state: u8 = 0;
const serializer: u8 = 0;
const deserializer: u8 = 0;

#[derive(ColumnType, Clone)]
enum Mood {
    Calm,
    Angry,
}

#[derive(ColumnType, Clone)]
struct Id(u64);

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    #[schema(primary_key)]
    id: Id,
    #[schema(default = Mood::Calm)]
    mood: Mood,
    #[schema(default = value)]
    legs: u8,
}

#[derive(Schema)]
struct Line {
    data: String,
    #[schema(default = data.to_owned())]
    from: String,
}

fn main() {
    assert_eq!(Cat::schema().columns[2].default_value(), Some(3.into()));
}
