use pathway_io::{Schema, Table};

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    key: i64,
    genus: String,
}

fn genera(cats: &Table<Cat>) {
    let _ = cats.compute(|cats| cats.map(|cat| (cat.genus, 1)));
}

fn main() {
    let _ = genera;
}
