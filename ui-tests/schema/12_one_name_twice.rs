use pathway_io::Schema;

#[derive(Schema)]
#[schema(rename_all = "camelCase")]
struct Cat {
    key: i64,
    #[schema(rename = "key")]
    genus: String,
    very_long: bool,
    veryLong: bool,
}

fn main() {}
