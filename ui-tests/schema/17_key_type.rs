use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    weight: f64,
    #[schema(primary_key)]
    genus: Option<String>,
}

fn push(cats: &Subject<Cat>) {
    cats.next(Cat { weight: 1.5, genus: None }).unwrap();
    cats.remove((1.5, None)).unwrap();
}

fn main() {
    let _ = push;
}
