use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(default = 1, default = 2)]
    key: i64,
}

fn main() {}
