use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(rename = "")]
    key: i64,
    #[schema(alias = "")]
    genus: String,
}

fn main() {}
