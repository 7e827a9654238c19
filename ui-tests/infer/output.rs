use pathway_io::Schema;

/// Inferred from the 3 rows of `output.csv`.
#[derive(Schema)]
#[schema(sample = "output.csv")]
struct Output {
    // no primary key: no column looks like one
    // omitted: `time` and `diff`, which every output adds
    uri: String,
    text: String,
    likes: u64,
    tags: String,
}

fn main() {}
