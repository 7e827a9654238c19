use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(default = "one")]
    key: i64,
    #[schema(default = 5)]
    genus: String,
    #[schema(default = Some(true))]
    weight: Option<f64>,
}

fn main() {}
