use pathway_io::{Schema, Table};

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: Option<String>,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Genus {
    genus: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Epithet {
    epithet: Option<String>,
}

fn genera(cats: &Table<Cat>) -> Table<Genus> {
    cats.columns::<Genus>().compute(|cats| cats)
}

fn epithets(cats: &Table<Cat>) -> Table<Epithet> {
    cats.columns::<Epithet>().compute(|cats| cats)
}

fn main() {
    let _ = (genera as fn(&_) -> _, epithets as fn(&_) -> _);
}
