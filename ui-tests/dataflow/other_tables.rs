use pathway_io::dataflow::compute;
use pathway_io::{Schema, Table};

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    key: i64,
}

fn owned(cats: Table<Cat>) -> Table<Cat> {
    compute((cats.clone(), cats), |_, (cats, others)| cats.concat(others))
}

fn main() {
    let _ = owned;
}
