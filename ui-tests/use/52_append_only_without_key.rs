use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

#[derive(Schema)]
#[schema(append_only)]
struct Log {
    line: String,
}

fn push(logs: &Subject<Log>) {
    logs.remove("first".to_owned()).unwrap();
}

fn main() {
    let _ = push;
}
