use pathway_io::Schema;

/// Inferred from the 3 rows of `cats.jsonl`.
#[derive(Schema)]
#[schema(sample = "cats.jsonl")]
struct Cats {
    // the key, judged by its name: no value repeats in 3 rows
    #[schema(primary_key)]
    key: i64,
    genus: String,
    epithet: String,
}

fn main() {}
