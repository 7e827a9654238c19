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

fn main() {}
