use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

#[derive(Schema)]
struct Dog {
    name: String,
}

fn push(cats: &Subject<Cat>) {
    cats.next(Dog { name: "rex".into() }).unwrap();
}

fn main() {
    let _ = push;
}
