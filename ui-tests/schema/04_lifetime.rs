use pathway_io::Schema;

#[derive(Schema)]
struct Cat<'a> {
    key: i64,
    genus: &'a str,
}

fn main() {}
