use pathway_io::Schema;

#[derive(Schema)]
enum Event {
    Created(i64),
    Deleted,
}

fn main() {}
