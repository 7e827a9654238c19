use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(alias = "genus")]
    key: i64,
    genus: String,
}

fn main() {}
