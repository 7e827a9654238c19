use pathway_io::Schema;

#[derive(Schema)]
struct Animal {
    #[schema(primary_key)]
    key: i64,
}

#[derive(Schema)]
struct Cat {
    #[schema(flatten)]
    animal: Animal,
    genus: String,
}

fn main() {}
