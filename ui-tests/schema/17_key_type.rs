use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    weight: f64,
    #[schema(primary_key)]
    genus: Option<String>,
    #[schema(primary_key)]
    toys: std::collections::HashSet<u8>,
}

fn push(cats: &Subject<Cat>) {
    cats.next(Cat { weight: 1.5, genus: None, toys: Default::default() }).unwrap();
    cats.remove((1.5, None, Default::default())).unwrap();
}

fn main() {
    let _ = push;
}
