//! Variants without fields, in every form.

use pathway_io::{ColumnType, DataType};

#[derive(ColumnType, Debug, PartialEq)]
enum Mood {
    Calm,
    Angry(),
    Asleep {},
}

fn main() {
    assert_eq!(Mood::DATA_TYPE, DataType::Str);
    let _ = [Mood::Calm, Mood::Angry(), Mood::Asleep {}];
}
