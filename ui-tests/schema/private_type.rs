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

fn main() {}
