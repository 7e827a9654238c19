//! Options that do not say how a column is stored, or say it twice.

use pathway_io::Schema;

struct Color(u32);

#[derive(Schema)]
struct Half {
    #[schema(into = "u32")]
    a: Color,
    #[schema(try_from = "u32")]
    b: Color,
    #[schema(try_from = "u32", into = "u64")]
    c: Color,
}

#[derive(Schema)]
struct Values {
    #[schema(with)]
    a: Color,
    #[schema(with = 3)]
    b: Color,
    #[schema(try_from = "u32;", into = "u32")]
    c: Color,
    #[schema(from = "u32", into)]
    d: u8,
}

#[derive(Schema)]
struct Twice {
    #[schema(json, with = "hex")]
    a: u32,
    #[schema(with = "hex", try_from = "u32", into = "u32")]
    b: Color,
    #[schema(skip, with = "hex")]
    c: u32,
    #[schema(flatten, with = "hex")]
    d: Other,
}

#[derive(Schema)]
struct Other {
    key: i64,
}

mod hex {
    pub type Column = u32;

    pub fn to_column(color: &super::Color) -> u32 {
        color.0
    }

    pub fn from_column(number: u32) -> super::Color {
        super::Color(number)
    }
}

fn main() {
    let _ = (Half::schema(), Values::schema(), Twice::schema());
}
