use pathway_io::Schema;

#[derive(Schema, Clone)]
#[schema(dataflow)]
struct Cat {
    key: i64,
}

fn main() {
    let _ = Cat { key: 1 };
}
