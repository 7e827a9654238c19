//! A field or a variant with the name of another is rustc's error alone.

use pathway_io::{ColumnType, RunResult, Schema, Subject};

#[derive(ColumnType)]
enum Mood {
    Calm,
    Angry,
    Calm,
}

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    mood: Option<Mood>,
    legs: u8,
    legs: String,
}

fn remove(cats: &Subject<Cat>) -> RunResult {
    cats.remove(1)?;
    Ok(())
}

fn main() {}
