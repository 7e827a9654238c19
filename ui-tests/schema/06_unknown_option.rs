use pathway_io::{Schema, Subject};

#[derive(Schema)]
#[schema(append_onyl)]
struct Cat {
    #[schema(primry_key)]
    key: i64,
    #[schema(indexed)]
    genus: String,
}

#[derive(Schema)]
struct Dog {
    #[schema(pk)]
    key: i64,
    #[schema(name = "kind")]
    genus: String,
}

fn push(cats: &Subject<Cat>) {
    cats.next(Cat { key: 1, genus: "felis".into() }).unwrap();
    cats.remove(1).unwrap();
}

fn main() {
    let _ = push;
}
