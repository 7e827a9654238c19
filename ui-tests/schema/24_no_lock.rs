use pathway_io::Schema;

#[derive(Schema)]
#[schema(lock = "dog.schema.json")]
struct Dog {
    key: i64,
}

#[derive(Schema)]
#[schema(lock = "cats.csv")]
struct Broken {
    key: i64,
}

#[derive(Schema)]
#[schema(lock = "cat.schema.json")]
struct Cow {
    #[schema(primary_key)]
    key: i64,
    #[schema(alias = "g")]
    genus: String,
    weight: Option<f64>,
    #[schema(default)]
    legs: u8,
    tags: Vec<i32>,
}

fn main() {}
