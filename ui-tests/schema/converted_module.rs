//! Modules of `with` that lack an item. Each missing item is one error, at the name of the module.

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
}

fn main() {
    let _ = Cat::schema();
}
