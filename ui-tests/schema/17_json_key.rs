use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(primary_key, json)]
    key: Vec<i64>,
    genus: String,
}

fn main() {}
