//! A crate with strict lints; clippy's are checked by running it.
#![deny(missing_docs, unused, unused_qualifications, unreachable_pub, single_use_lifetimes)]
#![deny(clippy::pedantic, clippy::all, clippy::same_name_method)]
#![deny(nonstandard_style, rust_2018_idioms, let_underscore_drop, trivial_casts, unused_results)]

#[allow(unused_imports, reason = "so that a qualified name in an expansion would be one too many")]
use pathway_io::{ColumnType, Connector, DataType, Keyed, ReadOptions, RunResult, Table, TableSchema};
use pathway_io::{Schema, Subject, connector, next};

/// A cat.
#[derive(Schema)]
pub struct Cat {
    /// Its number.
    #[schema(primary_key)]
    pub key: i64,
    /// Its genus.
    #[schema(default = "felis", example = "lynx")]
    pub genus: String,
    /// Its weight.
    pub weight: Option<f64>,
    #[schema(default = 4)]
    legs: u8,
}

/// A row that is expected to be unused: what the macro generates does not use it.
#[derive(Schema)]
#[expect(dead_code)]
struct Unused {
    key: i64,
}

/// How it feels.
#[derive(ColumnType, Clone)]
pub enum Mood {
    /// Well.
    Calm,
    /// Badly.
    Angry,
}

/// Who it is.
#[derive(ColumnType, Clone)]
pub struct Name(String);

/// What it is worth.
#[derive(Clone)]
pub struct Grade(i64);

impl From<i64> for Grade {
    fn from(grade: i64) -> Self {
        Grade(grade)
    }
}

impl From<Grade> for i64 {
    fn from(grade: Grade) -> i64 {
        grade.0
    }
}

/// Its grades.
#[derive(Schema)]
pub struct Grades {
    #[schema(primary_key, try_from = "i64", into = "i64")]
    first: Grade,
    #[schema(primary_key)]
    name: Name,
    #[schema(try_from = "i64", into = "i64")]
    last: Option<Grade>,
}

/// Its mood.
#[derive(Schema)]
pub struct Feeling {
    /// Who.
    #[schema(primary_key)]
    pub name: Name,
    /// How.
    pub mood: Option<Mood>,
    /// Why.
    #[schema(json)]
    pub reasons: Option<(String, u8)>,
}

/// A pair of rows for the engine.
#[derive(Schema)]
#[schema(dataflow)]
pub struct Pair {
    /// What tells it from others.
    #[schema(primary_key)]
    pub key: u64,
    /// Why.
    #[schema(json)]
    pub reasons: Option<(String, u8)>,
    /// The other.
    #[schema(flatten)]
    pub other: Other,
}

/// A row in a row.
#[derive(Schema)]
#[schema(dataflow)]
pub struct Other {
    /// What it is called.
    pub name: String,
}

/// Some dogs.
#[derive(Schema)]
pub struct Dog {
    data: String,
    #[schema(flatten, primary_key)]
    cat: Cat,
}

/// Rows that are held to files.
#[derive(Schema)]
#[schema(sample = "../schema/cats.jsonl", lock = "strict.schema.json")]
pub struct Held {
    /// Its number.
    #[schema(primary_key)]
    pub key: Number,
    /// Its genus.
    pub genus: String,
}

/// A number by another name.
pub type Number = i64;

/// A source.
pub struct Cats;

#[connector(autocommit = off)]
impl Cats {
    fn run(
        &mut self,
        cats: Subject<Cat, (String, u64)>,
        dogs: Subject<Dog, (String, u64)>,
        _more: Subject<Dog, (String, u64)>,
    ) -> pathway_io::Result<()> {
        cats.next_json(r#"{"key": 1}"#)?;
        next!(cats, Cat { key: 2, genus: "lynx", .. })?;
        next!(cats, Cat { key: (3), genus: ("lynx"), weight: (None), .. })?;
        next!(dogs, Dog { data: "rex", cat: Cat { key: 1, genus: "canis", weight: 4.5, legs: 3 } })?;
        Ok(())
    }

    fn on_stop(&mut self) {}
}

#[test]
fn a_strict_crate_compiles() {
    let pipeline = pathway_io::Pipeline::new();
    let (_cats, _dogs, _more) = pipeline.read(Cats);
    assert!(pipeline.run().is_ok());
}
