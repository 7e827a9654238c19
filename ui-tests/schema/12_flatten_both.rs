use pathway_io::Schema;

#[derive(Schema)]
struct Animal {
    #[schema(primary_key)]
    key: i64,
}

#[derive(Schema)]
struct Cat {
    #[schema(flatten, primary_key)]
    mother: Animal,
    genus: String,
    #[schema(flatten, primary_key)]
    own: Animal,
}

fn main() {}
