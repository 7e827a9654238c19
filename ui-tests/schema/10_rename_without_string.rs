use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(rename = genus)]
    key: i64,
    #[schema(rename)]
    epithet: String,
}

fn main() {}
