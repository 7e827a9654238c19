use pathway_io::Schema;

#[derive(Schema)]
struct Animal {
    key: i64,
}

#[derive(Schema)]
struct Cat {
    #[schema(flatten, rename = "creature", alias = "beast", default)]
    animal: Animal,
}

struct Place;

#[derive(Schema)]
struct Visit {
    day: u32,
    #[schema(flatten, json)]
    place: Place,
    #[schema(flatten, with = "places")]
    other: Place,
    #[schema(flatten, json)]
    places: Vec<Place>,
    #[schema(prefix = "animal_")]
    animal: Animal,
}

fn main() {}
