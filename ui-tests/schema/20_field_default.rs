use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    key: i64,
    legs: i64 = 4,
}

fn main() {}
