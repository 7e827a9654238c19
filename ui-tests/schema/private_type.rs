//! In a public row, a private type is an error at its field (E0446).

use pathway_io::{ColumnType, Schema};

#[derive(ColumnType)]
enum Mood {
    Calm,
    Angry,
}

#[derive(Schema)]
struct Place {
    city: String,
}

#[derive(Schema)]
pub struct Cat {
    mood: Mood,
    #[schema(flatten)]
    place: Place,
    other: Option<Mood>,
    #[schema(json)]
    json: Json,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Json(i64);

#[derive(ColumnType)]
pub struct Nature(Mood);

#[derive(ColumnType, Clone)]
struct Number(i64);

#[derive(Schema)]
pub struct Pair {
    #[schema(primary_key)]
    key: i64,
    #[schema(primary_key)]
    number: Number,
    #[schema(try_from = "i64", into = "i64")]
    grade: Grade,
    #[schema(try_from = "Number", into = "Number")]
    count: Count,
}

#[derive(Schema)]
pub struct Owned {
    #[schema(flatten, primary_key)]
    owner: Owner,
}

#[derive(Schema)]
struct Owner {
    #[schema(primary_key)]
    name: String,
}

#[derive(Clone)]
struct Grade(i64);

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

#[derive(Clone)]
pub struct Count(Number);

impl From<Number> for Count {
    fn from(number: Number) -> Self {
        Count(number)
    }
}

impl From<Count> for Number {
    fn from(count: Count) -> Number {
        count.0
    }
}

fn main() {}
