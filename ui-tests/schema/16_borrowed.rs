use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    genus: &'static str,
    tail: &'static [u8],
}

fn main() {}
