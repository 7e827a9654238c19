//! The path of a function in a string, as serde takes it, is one error that shows the call. rustc reports a single word.

use std::collections::BTreeMap;

use pathway_io::{ColumnType, RunResult, Schema, Subject, next};

#[derive(ColumnType)]
enum Mood {
    Calm,
}

#[derive(Schema)]
struct Cat {
    #[schema(default = "Cat::seven")]
    lives: i64,
    #[schema(default = "Self::weight")]
    weight: Option<f64>,
    #[schema(default = "BTreeMap::new")]
    marks: BTreeMap<String, i64>,
    #[schema(default = "Mood::calm")]
    mood: Mood,
    #[schema(default = "felis")]
    genus: String,
}

#[derive(Schema)]
#[schema(default = "Dog::new")]
struct Dog {
    lives: i64,
    name: String,
}

#[derive(Schema)]
struct Bird {
    #[schema(default = "calm")]
    mood: Mood,
    #[schema(default = "a")]
    letter: char,
}

fn push(cats: &Subject<Cat>, dogs: &Subject<Dog>) -> RunResult {
    next!(cats, Cat { .. })?;
    next!(dogs, Dog { lives: 1, .. })?;
    Ok(())
}

fn main() {}
