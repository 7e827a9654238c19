use pathway_io::{Schema, Subject};

struct Animal {
    key: i64,
}

#[derive(Schema)]
struct Cat {
    #[schema(flatten)]
    animal: Animal,
    #[schema(primary_key)]
    genus: String,
}

fn push(cats: &Subject<Cat>) {
    cats.next(Cat { animal: Animal { key: 1 }, genus: String::new() }).unwrap();
    cats.remove(String::new()).unwrap();
}

fn main() {
    let _ = push;
}
