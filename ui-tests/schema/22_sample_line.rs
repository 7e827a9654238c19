use pathway_io::Schema;

type Id = String;

#[derive(Schema)]
#[schema(sample = "cats.jsonl")]
struct Cat {
    #[schema(primary_key)]
    key: Id,
    genus: i64,
    legs: u8,
    weight: f64,
    tags: Vec<bool>,
    home: (f64, f64, f64),
    nick: String,
    born: String,
}

fn main() {}
