//! A wrong default of a whole struct is one error at the value, however many columns there are.

use pathway_io::Schema;

#[derive(Schema)]
#[schema(default = 5)]
struct Cat {
    genus: String,
    legs: u8,
}

struct Other {
    genus: String,
    legs: u8,
}

#[derive(Schema)]
#[schema(default = Other { genus: String::new(), legs: 4 })]
struct Dog {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    legs: u8,
}

#[derive(Schema)]
#[schema(default)]
struct Bird {
    genus: String,
    legs: u8,
}

fn main() {}
