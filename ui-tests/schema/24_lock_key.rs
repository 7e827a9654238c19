use pathway_io::Schema;

#[derive(Schema)]
#[schema(lock = "cat.schema.json")]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    #[schema(primary_key)]
    genus: String,
    weight: Option<f64>,
    legs: u8,
    tags: Vec<i32>,
}

fn main() {}
