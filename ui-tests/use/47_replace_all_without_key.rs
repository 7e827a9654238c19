use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
}

#[derive(Schema)]
struct Log {
    line: String,
}

fn push(logs: &Subject<Log>, cats: &Subject<Cat>) {
    let all = logs.transaction().replace_all();
    all.commit().unwrap();
    cats.transaction().replace_all().commit().unwrap();
}

fn main() {
    let _ = push;
}
