use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    key: Option<Option<i64>>,
}

fn main() {}
