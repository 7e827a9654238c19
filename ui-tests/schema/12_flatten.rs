use pathway_io::Schema;

#[derive(Schema)]
struct Animal {
    key: i64,
    #[schema(alias = "kg")]
    weight: f64,
}

#[derive(Schema)]
struct Cat {
    key: String,
    #[schema(flatten)]
    animal: Animal,
}

#[derive(Schema)]
struct Dog {
    #[schema(flatten)]
    animal: Animal,
    kg: i64,
}

fn main() {}
