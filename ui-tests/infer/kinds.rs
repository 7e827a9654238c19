use pathway_io::Schema;

/// Inferred from the 3 rows of `kinds.jsonl`.
#[derive(Schema)]
#[schema(sample = "kinds.jsonl")]
struct Kinds {
    // the key, judged by its name: no value repeats in 3 rows
    #[schema(primary_key)]
    id: String,
    ok: bool,
    count: i64,
    big: u64,
    huge: f64,
    // in 2 of 3 rows
    // numbers and strings
    mixed: Option<serde_json::Value>,
    tags: Vec<String>,
    pair: (i64, Option<String>),
    // in 2 of 3 rows
    point: Option<serde_json::Value>,
    // always null
    nothing: Option<serde_json::Value>,
    lists: Vec<Vec<i64>>,
    grid: Vec<Vec<Option<f64>>>,
    odd: Vec<serde_json::Value>,
    none: Vec<serde_json::Value>,
    // in 1 of 3 rows
    maybe: Option<Vec<Option<bool>>>,
    // in 1 of 3 rows
    extra: Option<f64>,
}

fn main() {}
