use pathway_io::Schema;

/// Inferred from the 3 rows of `spreadsheet.csv`.
#[derive(Schema)]
#[schema(sample = "spreadsheet.csv")]
struct Spreadsheet {
    // the key, judged by its name: no value repeats in 3 rows
    #[schema(primary_key)]
    key: i64,
    name: String,
    // in 2 of 3 rows
    #[schema(rename = "quoted, name")]
    quoted_name: Option<String>,
    zip: String,
    // in 2 of 3 rows
    weight: Option<f64>,
    // in 2 of 3 rows
    when: Option<String>,
    tame: bool,
    // in 2 of 3 rows
    #[schema(rename = "two\nlines")]
    two_lines: Option<String>,
    empty: Option<String>,
    n: f64,
    // omitted: a column without a name
}

fn main() {}
