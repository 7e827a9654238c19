use pathway_io::Schema;

/// Inferred from the 1200 rows of `late.jsonl`.
#[derive(Schema)]
#[schema(sample = "late.jsonl")]
struct Late {
    // perhaps the key: it is first, and no value repeats in 1200 rows
    #[schema(primary_key)]
    n: i64,
    f: f64,
    // in 1199 of 1200 rows
    s: Option<String>,
    // in 100 of 1200 rows
    late: Option<Vec<serde_json::Value>>,
}

fn main() {}
