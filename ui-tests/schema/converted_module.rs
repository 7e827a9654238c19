//! Modules of `with` that lack an item. Each module is one error, at its name.

use pathway_io::Schema;

#[derive(Clone)]
struct Color(u32);

mod no_column {
    pub fn to_column(color: &super::Color) -> u32 {
        color.0
    }

    pub fn from_column(number: u32) -> super::Color {
        super::Color(number)
    }
}

mod no_from {
    pub type Column = u32;

    pub fn to_column(color: &super::Color) -> u32 {
        color.0
    }
}

mod no_to {
    pub type Column = u32;

    pub fn from_column(number: u32) -> super::Color {
        super::Color(number)
    }
}

mod for_serde {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(color: &super::Color, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(color.0)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<super::Color, D::Error> {
        u32::deserialize(deserializer).map(super::Color)
    }
}

#[derive(Schema)]
struct Cat {
    #[schema(with = "no_module")]
    a: Color,
    #[schema(with = "no_column")]
    b: Color,
    #[schema(with = "no_to")]
    c: Color,
    #[schema(with = "no_from")]
    d: Option<Color>,
    #[schema(try_from = "Strng", into = "Strng")]
    e: Color,
    #[schema(with = "for_serde")]
    f: Color,
}

fn main() {
    let _ = Cat::schema();
}
