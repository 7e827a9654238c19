use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(primary_key = true)]
    key: i64,
}

fn main() {}
