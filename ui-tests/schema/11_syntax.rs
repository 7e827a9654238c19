use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(default(3))]
    key: i64,
    #[schema(default "felis")]
    genus: String,
    #[schema("epithet")]
    epithet: String,
    #[schema(rename =, default)]
    weight: f64,
    #[schema(primary-key)]
    id: i64,
    #[schema(default: 3)]
    lives: i64,
}

fn main() {}
