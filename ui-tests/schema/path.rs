//! Mistakes in a `path`: in its syntax, with a mark at the character, and paths that are not allowed.

use pathway_io::Schema;

#[derive(Schema)]
struct Syntax {
    #[schema(path = "seller..name")]
    a: i64,
    #[schema(path = "images[x]")]
    b: i64,
    #[schema(path = "images[0")]
    c: i64,
    #[schema(path = "images[0]name")]
    d: i64,
    #[schema(path = "seller. name")]
    e: i64,
    #[schema(path = "[0].name")]
    f: i64,
    #[schema(path = "seller")]
    g: i64,
    #[schema(path = seller.name)]
    h: i64,
    #[schema(path = "/seller/name")]
    i: i64,
    #[schema(path = "$.seller.name")]
    j: i64,
}

#[derive(Schema)]
struct Place {
    #[schema(path = "home.city")]
    city: String,
}

#[derive(Schema)]
struct Whole {
    seller: String,
    #[schema(path = "seller.name")]
    name: String,
    #[schema(path = "a[0].b")]
    first: i64,
    #[schema(path = "a[0]")]
    second: i64,
    #[schema(skip, path = "x.y")]
    skipped: i64,
}

#[derive(Schema)]
struct Flat {
    #[schema(path = "place.city", flatten)]
    place: Place,
}

#[derive(Schema)]
struct Twice {
    #[schema(flatten, prefix = "old_")]
    old: Place,
    #[schema(flatten)]
    new: Place,
}

#[derive(Schema)]
struct Behind {
    home: String,
    #[schema(flatten)]
    place: Place,
}

fn main() {
    let _ = (Syntax::schema(), Whole::schema(), Flat::schema(), Twice::schema(), Behind::schema());
}
