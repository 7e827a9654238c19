use pathway_io::Schema;

#[derive(Schema)]
#[schema(primary_key)]
struct Cat {
    key: i64,
    #[schema(append_only)]
    genus: String,
}

fn main() {}
