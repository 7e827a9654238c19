//! A newtype that borrows its value or has no size is one error.

use pathway_io::{ColumnType, Schema};

#[derive(ColumnType)]
struct Name(&'static str);

#[derive(ColumnType)]
struct Nick(Option<&'static str>);

#[derive(ColumnType)]
struct Text(str);

#[derive(ColumnType)]
struct Marks([i64]);

#[derive(ColumnType)]
struct Title(&str);

#[derive(Schema)]
struct Cat {
    name: Name,
    nick: Nick,
}

fn main() {}
