//! A field or variant that rustc cannot parse causes the errors that it would cause without the derive, each once. The other
//! fields are columns.

use pathway_io::{ColumnType, Keyed, Schema};

#[derive(Schema)]
struct NoType {
    #[schema(primary_key)]
    key: i64,
    genus
}

#[derive(Schema)]
struct NoComma {
    #[schema(primary_key)]
    key: i64
    genus: String,
}

#[derive(Schema)]
struct Semicolon {
    #[schema(primary_key)]
    key: i64;
    genus: String,
}

#[derive(Schema)]
struct Open {
    genus: Option<,
    #[schema(primary_key)]
    key: i64,
}

#[derive(Schema)]
struct Parentheses {
    genus: Option(String),
    #[schema(primary_key)]
    key: i64,
}

#[derive(Schema)]
struct NoField {
    #[schema(primary_key)]
    key: i64,
    #[schema(default)]
}

#[derive(ColumnType)]
enum Mood {
    Calm
    Angry,
}

#[derive(Schema)]
struct Cat {
    mood: Mood,
}

fn key<S: Keyed<Key = i64>>(row: &S) -> i64 {
    row.key()
}

fn keys(rows: (NoType, NoComma, Semicolon, Open, Parentheses, NoField)) -> [i64; 6] {
    [key(&rows.0), key(&rows.1), key(&rows.2), key(&rows.3), key(&rows.4), key(&rows.5)]
}

fn main() {
    println!("{:?}", Cat::schema());
}
