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

fn main() {}
