use pathway_io::Schema;

#[derive(Schema)]
union Word {
    signed: i64,
    unsigned: u64,
}

fn main() {}
