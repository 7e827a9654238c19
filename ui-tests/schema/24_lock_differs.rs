use pathway_io::Schema;

#[derive(Schema)]
#[schema(lock = "cat.schema.json", deny_unknown)]
struct Cat {
    #[schema(primary_key)]
    key: i32,
    genus: String,
    weight: f64,
    legs: u16,
    tail: bool,
}

fn main() {}
