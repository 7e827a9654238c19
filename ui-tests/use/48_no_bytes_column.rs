use pathway_io::{Schema, Subject};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

fn push(lines: &Subject<pathway_io::TextRow>) {
    lines.next_bytes(b"felis").unwrap();
}

fn main() {
    let _ = push;
}
