//! A name that is not in scope is one error, wherever the macros copy it.

use pathway_io::{ColumnType, Schema};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: (Uuid, i64),
    chip: Option<Chip>,
    #[schema(default = None)]
    owner: Option<Owner>,
    #[schema(json)]
    visits: Vec<Visit>,
    #[schema(skip)]
    scratch: Vec<Scratch>,
    #[schema(with = "text")]
    home: Vec<Home>,
    #[schema(try_from = "Vec<Text>", into = "Vec<Text>")]
    note: Note,
    #[schema(flatten)]
    more: More<Breed>,
    length: [u8; LENGTH],
}

mod text {
    pub type Column = String;

    pub fn to_column(_: &Vec<i64>) -> String {
        String::new()
    }

    pub fn from_column(_: String) -> Vec<i64> {
        Vec::new()
    }
}

#[derive(Clone)]
struct Note;

#[derive(Schema)]
struct More<T: ColumnType> {
    value: T,
    kind: Vec<Kind>,
}

#[derive(Schema)]
struct Raw {
    data: Option<Data>,
}

#[derive(ColumnType)]
struct Name(Option<Chars>);

fn main() {}
