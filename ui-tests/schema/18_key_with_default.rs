use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(primary_key, default = 1)]
    key: i64,
}

fn main() {}
