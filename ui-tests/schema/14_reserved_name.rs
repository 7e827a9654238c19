use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    diff: i64,
    #[schema(rename = "time")]
    at: i64,
}

fn main() {}
