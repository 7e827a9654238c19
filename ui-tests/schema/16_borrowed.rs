use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    genus: &'static str,
    tail: &'static [u8],
    name: Option<&'static str>,
}

#[derive(Schema)]
struct Raw {
    key: i64,
    bytes: [u8],
}

fn main() {}
