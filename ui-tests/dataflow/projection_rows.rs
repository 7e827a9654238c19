use pathway_io::dataflow::compute;
use pathway_io::{Schema, Table};

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    key: i64,
}

#[derive(Schema)]
struct Plain {
    key: i64,
}

struct NoSchema {
    key: i64,
}

fn plain(cats: &Table<Cat>) -> Table<Cat> {
    cats.columns::<Plain>().compute(|cats| cats.map(|cat| Cat { key: cat.key }))
}

fn in_a_tuple(cats: &Table<Cat>) -> Table<Cat> {
    compute((cats, &cats.columns::<Plain>()), |_, (cats, _)| cats)
}

fn no_schema(cats: &Table<Cat>) {
    let _ = cats.columns::<NoSchema>();
}

fn of_plain(plain: &Table<Plain>) -> Table<Cat> {
    plain.columns::<Cat>().compute(|cats| cats.map(|cat| Cat { key: cat.key }))
}

fn main() {
    let _ = (plain, in_a_tuple, no_schema, of_plain);
}
