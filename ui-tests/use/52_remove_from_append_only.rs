use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

#[derive(Schema)]
#[schema(append_only)]
struct Vote {
    #[schema(primary_key)]
    user: String,
}

fn push(votes: &Subject<Vote>) {
    votes.remove("ann".to_owned()).unwrap();
}

fn main() {
    let _ = push;
}
