use pathway_io::Schema;
use pathway_io::schema::{assert_matches, assert_same};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    name: Option<String>,
    weight: f32,
}

#[derive(Schema)]
struct Named {
    name: String,
}

#[derive(Schema)]
struct Owned {
    owner: String,
}

#[derive(Schema)]
struct Weighed {
    weight: Vec<Option<u8>>,
}

#[derive(Schema)]
struct Keyless {
    key: i64,
    name: Option<String>,
    weight: f32,
}

const _: () = assert_matches::<Cat, Named>();
const _: () = assert_matches::<Cat, Owned>();
const _: () = assert_matches::<Cat, Weighed>();
const _: () = assert_same::<Cat, Keyless>();
const _: () = assert_same::<Cat, Named>();
const _: () = assert_matches::<Cat, Keyless>();

fn main() {}
