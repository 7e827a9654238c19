use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    key: i64,
    #[schema(flatten)]
    weight: i64,
}

fn main() {}
