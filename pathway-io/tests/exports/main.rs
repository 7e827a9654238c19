//! Checks schemas in other languages with the real tools. The `jsonschema` package validates rows that the library
//! wrote, SQLite and Pathway load them, and PostgreSQL's own parser reads the DDL.
//!
//! The script `check.py` runs these tools, which are Python packages. A package that is not installed is skipped with a
//! message. In CI, `.ci/run` creates an environment with all of them, and passes its interpreter in
//! `PATHWAY_IO_PYTHON`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pathway_io::schema::Dialect;
use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv, jsonlines};
use serde_json::{Value, json};

/// Everything that a schema can say,
/// in "all" its \ forms; it's no end of a comment: */ -- '
#[derive(Schema, Clone)]
#[schema(deny_unknown)]
struct Everything {
    /// The key's first half.
    #[schema(primary_key)]
    key: i64,
    #[schema(primary_key, rename = "select \"all\" it's")]
    odd: String,
    r#type: bool,
    #[schema(alias = "small/est ~one", alias = "wee")]
    tiny: i8,
    short: i16,
    int: i32,
    #[schema(default = 7, example = 255)]
    byte: u8,
    word: u16,
    dword: u32,
    qword: u64,
    #[schema(default = 1.5)]
    single: f32,
    double: f64,
    /// Two
    /// lines.
    #[schema(default = "it's \\ \"x\"\n")]
    text: String,
    #[schema(default = vec![1, 2, 255])]
    raw: Vec<u8>,
    #[schema(default = json!({ "a": [1, null] }))]
    value: Value,
    #[schema(default = Duration::from_nanos(1_500_000_001))]
    took: Duration,
    #[schema(default)]
    maybe: Option<i64>,
    columns: Option<String>,
    #[schema(rename = "__dunder")]
    dunder: Option<bool>,
    str: Option<f64>,
    #[schema(default = vec![1, 2])]
    list: Vec<i64>,
    texts: Vec<Option<String>>,
    nested: Vec<Vec<f64>>,
    array: [u16; 2],
    #[schema(default = (1, "a".to_owned()))]
    pair: (i64, String),
    places: Option<Vec<(f64, Option<bool>)>>,
    raws: Vec<Vec<u8>>,
    #[schema(default = 7)]
    wide: i128,
    spot: Option<[f64; 2]>,
    #[schema(rename = "größe")]
    size: u8,
    #[cfg(feature = "jiff")]
    day: jiff::civil::Date,
    #[cfg(feature = "jiff")]
    hour: jiff::civil::Time,
    #[cfg(feature = "jiff")]
    moment: jiff::civil::DateTime,
    #[cfg(feature = "jiff")]
    instant: Option<jiff::Timestamp>,
    #[cfg(feature = "jiff")]
    span: jiff::SignedDuration,
    #[cfg(feature = "chrono")]
    offset: chrono::DateTime<chrono::FixedOffset>,
    #[cfg(feature = "uuid")]
    id: uuid::Uuid,
    #[cfg(feature = "rust_decimal")]
    price: rust_decimal::Decimal,
}

fn rows() -> Vec<Everything> {
    let plain = Everything {
        key: i64::MIN,
        odd: "one, \"two\"\nthree".to_owned(),
        r#type: true,
        tiny: -128,
        short: -32768,
        int: i32::MIN,
        byte: 255,
        word: 65535,
        dword: u32::MAX,
        // Pathway and SQLite support integers up to this value.
        qword: i64::MAX as u64,
        single: 0.1,
        double: -1e-7,
        text: "grün 🐈".to_owned(),
        raw: vec![0, 1, 254],
        value: json!({ "nested": [1, "two", null], "it's": true }),
        took: Duration::from_nanos(1_500_000_001),
        maybe: Some(-5),
        columns: Some("c".to_owned()),
        dunder: Some(false),
        str: Some(3.0),
        list: vec![1, -2, 3],
        texts: vec![Some("a".to_owned()), None],
        nested: vec![vec![], vec![0.5, 2.0]],
        array: [1, 2],
        pair: (4, "p".to_owned()),
        places: Some(vec![(1.0, None), (2.5, Some(true))]),
        raws: vec![vec![1], vec![]],
        wide: i128::MAX,
        spot: Some([0.5, -1.0]),
        size: 3,
        #[cfg(feature = "jiff")]
        day: jiff::civil::date(2021, 3, 21),
        #[cfg(feature = "jiff")]
        hour: jiff::civil::time(18, 34, 12, 500_000_000),
        #[cfg(feature = "jiff")]
        moment: jiff::civil::date(2021, 3, 21).at(18, 34, 12, 500_000_000),
        #[cfg(feature = "jiff")]
        instant: Some(jiff::Timestamp::UNIX_EPOCH),
        #[cfg(feature = "jiff")]
        span: jiff::SignedDuration::from_nanos(-7),
        #[cfg(feature = "chrono")]
        offset: chrono::DateTime::parse_from_rfc3339("2021-03-21T18:34:12.5+01:00").unwrap(),
        #[cfg(feature = "uuid")]
        id: uuid::Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8),
        #[cfg(feature = "rust_decimal")]
        price: rust_decimal::Decimal::new(1250, 2),
    };
    let bare = Everything {
        key: 2,
        odd: "x".to_owned(),
        r#type: false,
        value: Value::Null,
        maybe: None,
        columns: None,
        dunder: None,
        str: None,
        list: vec![],
        texts: vec![],
        places: None,
        wide: 5,
        spot: None,
        #[cfg(feature = "jiff")]
        instant: None,
        ..plain.clone()
    };
    vec![plain, bare]
}

struct Rows;

#[connector(autocommit = off)]
impl Rows {
    fn run(&mut self, all: Subject<Everything>) -> RunResult {
        for row in rows() {
            all.next(row)?;
        }
        Ok(())
    }
}

/// Writes the rows and the schema in each language, and runs one check of `check.py`.
fn check(what: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let schema = Everything::schema();
    let pipeline = Pipeline::new();
    let all = pipeline.read(Rows);
    csv::write(&all, path("rows.csv"));
    jsonlines::write(&all, path("rows.jsonl"));
    #[cfg(feature = "parquet")]
    pathway_io::parquet::write(&all, path("parts"), pathway_io::parquet::Options::new().rows(1));
    pipeline.run().unwrap();
    fs::write(path("schema.json"), schema.json_schema().to_string()).unwrap();
    fs::write(path("description.json"), json!({ "description": schema.description }).to_string()).unwrap();
    fs::write(path("sqlite.sql"), schema.sql_ddl(Dialect::Sqlite, "every \"thing\"")).unwrap();
    fs::write(path("sqlite_updates.sql"), schema.sql_ddl_of_updates(Dialect::Sqlite, "updates")).unwrap();
    fs::write(path("postgres.sql"), schema.sql_ddl(Dialect::Postgres, "every \"thing\"")).unwrap();
    fs::write(path("postgres_updates.sql"), schema.sql_ddl_of_updates(Dialect::Postgres, "updates")).unwrap();
    fs::write(path("pathway.json"), schema.pathway_dict()).unwrap();
    fs::write(path("pathway.py"), schema.pathway_class()).unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exports/check.py");
    let python = std::env::var_os("PATHWAY_IO_PYTHON").unwrap_or_else(|| "python3".into());
    let output = match Command::new(&python).arg(script).arg(what).arg(directory.path()).output() {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: {} does not start: {error}", python.display());
            return;
        }
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => println!("{out}"),
        Some(77) => println!("skipped: {out}"),
        _ => panic!("{what}: {}\n{out}\n{err}", output.status),
    }
}

#[test]
fn jsonschema_validates_the_rows() {
    check("jsonschema");
}

#[test]
fn sqlite_loads_the_csv() {
    check("sqlite");
}

#[test]
fn postgres_parses_the_ddl() {
    check("postgres");
}

#[test]
fn pathway_reads_the_json_lines() {
    check("pathway");
}

#[cfg(feature = "parquet")]
#[test]
fn pyarrow_reads_the_parts() {
    check("pyarrow");
}

#[cfg(feature = "parquet")]
#[test]
fn polars_reads_the_parts() {
    check("polars");
}

#[cfg(feature = "parquet")]
#[test]
fn duckdb_reads_the_parts() {
    check("duckdb");
}

#[derive(Schema)]
struct WithNul {
    #[schema(default = "a\0b")]
    text: String,
    #[schema(default = json!({ "a": ["\0"] }))]
    value: Value,
    #[schema(default = json!([{ "a\0": 1 }]))]
    named: Value,
    #[schema(default = json!(["\\0", 0, null]))]
    other: Value,
    #[schema(default = "ab")]
    plain: String,
}

// FAULTS 11
#[test]
fn a_default_with_a_nul_is_left_out_where_no_text_holds_one() {
    let postgres = WithNul::schema().sql_ddl(Dialect::Postgres, "t");
    let remark = "    -- without its default: PostgreSQL has no NUL in a text\n";
    assert!(postgres.contains(&format!("{remark}    \"text\" text NOT NULL,\n")), "{postgres}");
    for column in ["value", "named"] {
        assert!(postgres.contains(&format!("{remark}    \"{column}\" jsonb,\n")), "{postgres}");
    }
    assert!(postgres.contains("    \"other\" jsonb DEFAULT"), "{postgres}");
    assert!(postgres.contains("    \"plain\" text NOT NULL DEFAULT 'ab'\n"), "{postgres}");
    let sqlite = WithNul::schema().sql_ddl(Dialect::Sqlite, "t");
    assert!(sqlite.contains("DEFAULT (CAST(X'610062' AS TEXT))"), "{sqlite}");
    assert!(!sqlite.contains("without its default"), "{sqlite}");
}
