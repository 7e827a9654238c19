use pathway_io::Schema;

/// Inferred from the 2 rows of `names.jsonl`.
#[derive(Schema)]
#[schema(sample = "names.jsonl")]
struct Names {
    // perhaps the key: it is first, and no value repeats in 2 rows
    #[schema(primary_key)]
    r#type: i64,
    #[schema(rename = "self")]
    self_: i64,
    #[schema(rename = "Self")]
    self_2: i64,
    #[schema(rename = "crate")]
    crate_: i64,
    r#async: i64,
    #[schema(rename = "_")]
    column_6: i64,
    #[schema(rename = "__")]
    column_7: i64,
    #[schema(rename = "1st")]
    _1st: i64,
    // omitted: a column without a name
    #[schema(rename = " ")]
    column_10: i64,
    #[schema(rename = "a b")]
    a_b_2: i64,
    #[schema(rename = "a-b")]
    a_b_3: i64,
    #[schema(rename = "aB")]
    a_b_4: i64,
    a_b: i64,
    #[schema(rename = "a\"b\\\n\0")]
    a_b_5: i64,
    größe: i64,
    #[schema(rename = "猫")]
    column_17: i64,
    #[schema(rename = "🐈")]
    column_18: i64,
    #[schema(rename = "r#type")]
    r_type: i64,
    #[schema(rename = "time__", alias = "time")]
    time: String,
    #[schema(rename = "time_")]
    time_2: i64,
    #[schema(rename = "diff_", alias = "diff")]
    diff: i64,
    #[schema(rename = "HTTPServerID")]
    http_server_id: i64,
    #[schema(rename = "$ref")]
    r#ref: i64,
    #[schema(rename = "ǅ")]
    column_25: i64,
    #[schema(rename = "ﬁ")]
    column_26: i64,
    #[schema(rename = "\u{202e}")]
    column_27: i64,
    #[schema(rename = "İ")]
    i: i64,
    ß: i64,
    #[schema(rename = "a..b")]
    a_b_6: i64,
    union: i64,
    r#dyn: i64,
    r#gen: i64,
    #[schema(rename = "Type")]
    type_2: i64,
}

fn main() {}
