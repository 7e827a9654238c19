use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

#[derive(Schema)]
struct Log {
    line: String,
}

fn push(logs: &Subject<Log>, cats: &Subject<Cat>) {
    logs.remove("first".to_owned()).unwrap();
    cats.remove(1).unwrap();
}

fn main() {
    let _ = push;
}
