use pathway_io::Schema;

type Name = String;

#[derive(Schema)]
#[schema(sample = "cats.jsonl")]
struct Cat {
    key: i64,
    genera: String,
    whiskers: u8,
    name: Name,
    #[schema(default)]
    fleas: u64,
    owner: Option<String>,
}

fn main() {}
