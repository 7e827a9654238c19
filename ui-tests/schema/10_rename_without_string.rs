use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(rename = genus)]
    key: i64,
    #[schema(rename)]
    epithet: String,
    #[schema(alias = ["kg", "mass"])]
    weight: f64,
}

fn main() {}
