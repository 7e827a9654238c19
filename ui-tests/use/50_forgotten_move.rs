use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

fn push(cats: Subject<Cat>) {
    std::thread::spawn(|| cats.next(Cat { key: 1, genus: "felis".into() }));
}

fn main() {
    let _ = push;
}
