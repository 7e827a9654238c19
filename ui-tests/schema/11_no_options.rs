use pathway_io::Schema;

#[derive(Schema)]
#[schema]
struct Cat {
    #[schema()]
    key: i64,
    #[schema = "primary_key"]
    genus: String,
}

fn main() {}
