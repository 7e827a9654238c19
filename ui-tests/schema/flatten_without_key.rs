use pathway_io::Schema;

#[derive(Schema)]
struct Animal {
    key: i64,
}

#[derive(Schema)]
struct Cat {
    #[schema(flatten, primary_key)]
    animal: Animal,
    genus: String,
}

#[derive(Schema)]
struct Visit {
    #[schema(primary_key)]
    day: u32,
    #[schema(flatten, primary_key, prefix = "animal_")]
    animal: Animal,
}

fn main() {}
