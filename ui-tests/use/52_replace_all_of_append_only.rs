use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
}

#[derive(Schema)]
#[schema(append_only)]
struct Vote {
    #[schema(primary_key)]
    user: String,
}

fn push(votes: &Subject<Vote>, cats: &Subject<Cat>) {
    let all = cats.transaction().replace_all();
    all.with(votes).replace_all();
    all.commit().unwrap();
}

fn main() {
    let _ = push;
}
