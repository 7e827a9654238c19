//! Conversions of the wrong types. Each is one error, at the name of the module, at the type, or at the field.

use std::rc::Rc;
use std::time::Instant;

use pathway_io::Schema;

#[derive(Clone)]
struct Color(u32);

struct NoClone(u32);

impl From<NoClone> for u32 {
    fn from(NoClone(number): NoClone) -> u32 {
        number
    }
}

impl From<u32> for NoClone {
    fn from(number: u32) -> NoClone {
        NoClone(number)
    }
}

mod hex {
    pub type Column = String;

    pub fn to_column(color: &super::Color) -> u32 {
        color.0
    }

    pub fn from_column(text: String) -> Result<super::Color, std::num::ParseIntError> {
        text.parse().map(super::Color)
    }
}

mod other {
    pub type Column = u32;

    pub fn to_column(number: &u8) -> u32 {
        u32::from(*number)
    }

    pub fn from_column(number: u32) -> Option<super::Color> {
        Some(super::Color(number))
    }
}

mod instant {
    pub type Column = std::time::Instant;

    pub fn to_column(_: &super::Color) -> Column {
        Column::now()
    }

    pub fn from_column(_: Column) -> super::Color {
        super::Color(1)
    }
}

mod float {
    pub type Column = f64;

    pub fn to_column(color: &super::Color) -> f64 {
        color.0.into()
    }

    pub fn from_column(_: f64) -> super::Color {
        super::Color(1)
    }
}

mod shared {
    pub type Column = String;

    pub fn to_column(text: &std::rc::Rc<str>) -> String {
        text.to_string()
    }

    pub fn from_column(text: String) -> std::rc::Rc<str> {
        text.into()
    }
}

struct NoDisplay;

#[derive(Clone)]
struct Even(u32);

impl From<Even> for u32 {
    fn from(Even(number): Even) -> u32 {
        number
    }
}

impl TryFrom<u32> for Even {
    type Error = NoDisplay;

    fn try_from(number: u32) -> Result<Even, NoDisplay> {
        if number.is_multiple_of(2) { Ok(Even(number)) } else { Err(NoDisplay) }
    }
}

#[derive(Schema)]
struct Returned {
    #[schema(with = "hex")]
    a: Color,
}

#[derive(Schema)]
struct Argument {
    #[schema(with = "other")]
    a: Color,
}

#[derive(Schema)]
struct NoColumn {
    #[schema(with = "instant")]
    a: Color,
}

#[derive(Schema)]
struct NoConversion {
    #[schema(try_from = "u32", into = "u32")]
    a: Color,
}

#[derive(Schema)]
struct NoColumnType {
    #[schema(try_from = "Instant", into = "Instant")]
    a: Instant,
}

#[derive(Schema)]
struct NotClone {
    #[schema(try_from = "u32", into = "u32")]
    a: NoClone,
}

#[derive(Schema)]
struct Key {
    #[schema(primary_key, with = "float")]
    a: Color,
}

#[derive(Schema)]
struct Default {
    #[schema(with = "float", default = 3)]
    a: Color,
}

#[derive(Schema)]
struct NotSend {
    #[schema(with = "shared")]
    a: Rc<str>,
}

#[derive(Schema)]
struct ErrorWithoutDisplay {
    #[schema(try_from = "u32", into = "u32")]
    a: Even,
}

fn main() {
    let _ = (NotSend::schema(), ErrorWithoutDisplay::schema());
    let _ = (Returned::schema(), Argument::schema(), NoColumn::schema(), NoConversion::schema());
    let _ = (NoColumnType::schema(), NotClone::schema(), Key::schema(), Default::schema());
}
