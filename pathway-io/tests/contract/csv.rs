//! CSV files that the library writes are read correctly by other readers.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use pathway_io::{ReadOptions, Schema, Subject, csv, jsonlines};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use crate::common::{Number, TempDir, numbers, pipeline, read, run, source, wait_until};

#[derive(Schema, Debug, Clone, PartialEq)]
struct Row {
    #[schema(rename = "a \"quoted\", name")]
    text: String,
    note: Option<String>,
    list: Vec<String>,
    n: i64,
    blob: Vec<u8>,
}

/// Generates strings with characters that are difficult for CSV readers.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\""),
        Just("\"\""),
        Just(","),
        Just("\r"),
        Just("\n"),
        Just("\r\n"),
        Just("\0"),
        Just(" "),
        Just("\t"),
        Just("'"),
        Just("\\"),
        Just("#"),
        Just("="),
        Just("\u{feff}"),
        Just("ż"),
        Just("🐈"),
        Just("\u{2028}"),
        Just("null"),
        Just("a"),
        Just("b"),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn row() -> impl Strategy<Value = Row> {
    (text(), prop::option::of(text()), prop::collection::vec(text(), 0..3), any::<i64>(), any::<Vec<u8>>())
        .prop_map(|(text, note, list, n, blob)| Row { text, note, list, n, blob })
}

/// Returns the CSV file of these rows.
fn written(rows: Vec<Row>) -> (TempDir, String) {
    let dir = TempDir::new();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Row>| {
            for row in &rows {
                subject.next(row.clone())?;
            }
            Ok(())
        }),
        ReadOptions::new().autocommit(None),
    );
    csv::write(&table, dir.path("output.csv"));
    run(pipeline).unwrap();
    let text = read(dir.path("output.csv"));
    (dir, text)
}

/// Returns the fields of a row as a reader should see them, without the time. A null is an empty field.
fn fields(row: &Row) -> Vec<String> {
    use base64::Engine as _;
    vec![
        row.text.clone(),
        row.note.clone().unwrap_or_default(),
        serde_json::to_string(&row.list).unwrap(),
        row.n.to_string(),
        base64::prelude::BASE64_STANDARD.encode(&row.blob),
    ]
}

const HEADER: [&str; 7] = ["a \"quoted\", name", "note", "list", "n", "blob", "time", "diff"];

#[track_caller]
fn assert_read_back(records: &[Vec<String>], rows: &[Row]) {
    assert_eq!(records[0], HEADER);
    assert_eq!(records.len(), rows.len() + 1);
    for (record, row) in records[1..].iter().zip(rows) {
        assert_eq!(record[..5], fields(row));
        assert!(record[5].parse::<u64>().is_ok());
        assert_eq!(record[6], "1");
    }
}

proptest! {
    #![proptest_config(Config { cases: 64, ..Config::default() })]

    #[test]
    fn the_csv_crate_reads_back_the_rows(rows in prop::collection::vec(row(), 0..20)) {
        let (_dir, text) = written(rows.clone());
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let records: Vec<Vec<String>> =
            reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_read_back(&records, &rows);
    }
}

#[test]
fn python_reads_back_the_rows() {
    const PROGRAM: &str = "\
import csv, json, sys
sys.stdout.reconfigure(encoding='ascii')
if sys.version_info < (3, 11):
    sys.exit(3)
with open(sys.argv[1], newline='', encoding='utf-8') as file:
    json.dump(list(csv.reader(file, strict=True)), sys.stdout)
";
    let mut runner = TestRunner::deterministic();
    let rows = prop::collection::vec(row(), 500).new_tree(&mut runner).unwrap().current();
    let (dir, _) = written(rows.clone());
    let mut python = Command::new("python3");
    python.arg("-c").arg(PROGRAM).arg(dir.path("output.csv")).stderr(Stdio::inherit());
    let output = match python.output() {
        Ok(output) => output,
        Err(error) => return eprintln!("skipped, since there is no python3: {error}"),
    };
    if output.status.code() == Some(3) {
        return eprintln!("skipped, since this python3 does not read a NUL");
    }
    assert!(output.status.success());
    let records: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_read_back(&records, &rows);
}

#[derive(Schema, Debug, Clone, PartialEq)]
struct Nullable {
    a: Option<String>,
    b: Option<String>,
    c: Option<i64>,
    d: Option<f64>,
    e: bool,
}

#[test]
fn a_null_and_an_empty_string_are_written_differently() {
    let dir = TempDir::new();
    let pipeline = pipeline();
    let table = pipeline.read(source(|subject: Subject<Nullable>| {
        let empty = Some(String::new());
        subject.next(Nullable { a: None, b: empty.clone(), c: None, d: Some(1.0), e: true })?;
        subject.next(Nullable { a: empty, b: None, c: Some(-7), d: None, e: false })?;
        subject.next(Nullable { a: Some("x".into()), b: None, c: None, d: Some(f64::NEG_INFINITY), e: false })?;
        subject.next(Nullable { a: None, b: None, c: None, d: Some(f64::NAN), e: false })?;
        Ok(())
    }));
    csv::write(&table, dir.path("output.csv"));
    run(pipeline).unwrap();
    let text = read(dir.path("output.csv"));
    let lines: Vec<&str> = text.lines().collect();
    let time = lines[1].split(',').nth(5).unwrap();
    assert_eq!(
        text,
        format!(
            "a,b,c,d,e,time,diff\n,\"\",,1.0,true,{time},1\n\"\",,-7,,false,{time},1\nx,,,-inf,false,{time},1\n,,,NaN,false,{time},1\n"
        )
    );
}

#[derive(Schema)]
struct Blobs {
    a: Vec<u8>,
    b: Option<Vec<u8>>,
}

#[test]
fn empty_bytes_and_null_are_written_differently() {
    let dir = TempDir::new();
    let pipeline = pipeline();
    let table = pipeline.read(source(|subject: Subject<Blobs>| {
        subject.next(Blobs { a: vec![], b: None })?;
        subject.next(Blobs { a: vec![1], b: Some(vec![]) })?;
        Ok(())
    }));
    csv::write(&table, dir.path("output.csv"));
    run(pipeline).unwrap();
    let text = read(dir.path("output.csv"));
    let rows: Vec<String> = text.lines().map(|line| line.split(',').take(2).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(rows, ["a,b", "\"\",", "AQ==,\"\""]);
}

#[test]
fn a_file_without_rows_has_only_the_header() {
    let dir = TempDir::new();
    let path = dir.path("output.csv");
    fs::write(&path, "content of an earlier run that is longer than the header").unwrap();
    let pipeline = pipeline();
    csv::write(&pipeline.read(numbers(0..0)), &path);
    run(pipeline).unwrap();
    assert_eq!(read(path), "n,time,diff\n");
}

#[test]
fn the_header_is_written_before_the_first_row() {
    let dir = TempDir::new();
    let path = dir.path("output.csv");
    let pipeline = pipeline();
    let output = path.clone();
    let table = pipeline.read(source(move |_: Subject<Number>| {
        assert_eq!(read(&output), "n,time,diff\n");
        Ok(())
    }));
    csv::write(&table, &path);
    run(pipeline).unwrap();
}

#[test]
fn a_file_larger_than_its_buffer_is_complete() {
    let dir = TempDir::new();
    let pipeline = pipeline();
    csv::write(&pipeline.read(numbers(0..50_000)), dir.path("output.csv"));
    run(pipeline).unwrap();
    let text = read(dir.path("output.csv"));
    let rows = text.lines().skip(1).map(|line| line.split(',').next().unwrap().parse::<u64>().unwrap());
    assert!(rows.eq(0..50_000));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let pipeline = pipeline();
    csv::write(&pipeline.read(source(|_: Subject<Row>| panic!("the source must not run"))), "/dev/full");
    let error = run(pipeline).unwrap_err();
    assert!(error.to_string().starts_with("sink `/dev/full` failed: "), "{error}");
}

#[derive(Schema, Debug, Clone, PartialEq)]
struct Sheet {
    #[schema(rename = "=name")]
    text: String,
    maybe: Option<String>,
    blob: Vec<u8>,
    n: i64,
    float: f64,
    list: Vec<String>,
    value: serde_json::Value,
}

fn sheet(text: &str) -> Sheet {
    Sheet {
        text: text.into(),
        maybe: Some(text.into()),
        // `+A==` in base64
        blob: vec![0xf8],
        n: -1,
        float: -1.5,
        list: vec!["=1".into()],
        value: (-7).into(),
    }
}

// FAULTS 13, 35
#[test]
fn an_output_that_is_harmed_under_a_run_fails_it_and_is_named() {
    type Harm = fn(&Path);
    let harms: [(Harm, &str); 3] = [
        (|path| fs::remove_file(path).unwrap(), "removed or renamed"),
        (
            |path| {
                fs::copy(path, path.with_extension("new")).unwrap();
                fs::rename(path.with_extension("new"), path).unwrap();
            },
            "replaced by another file",
        ),
        (|path| fs::File::options().write(true).open(path).unwrap().set_len(0).unwrap(), "shortened from"),
    ];
    for (harm, says) in harms {
        for (is_json, goes_on) in [(false, false), (false, true), (true, false), (true, true)] {
            let dir = TempDir::new();
            let path = dir.path("numbers");
            let harmed = path.clone();
            let pipeline = pipeline();
            let table = pipeline.read(source(move |numbers: Subject<Number>| {
                numbers.next(Number { n: 1 })?;
                numbers.commit()?;
                // The header of CSV is a line, too.
                let lines = if is_json { 1 } else { 2 };
                wait_until("it is not written", || read(&harmed).lines().count() >= lines);
                harm(&harmed);
                if goes_on {
                    numbers.next(Number { n: 2 })?;
                    numbers.commit()?;
                    // The failure of the sink is a stop.
                    numbers.wait_closed()?;
                }
                Ok(())
            }));
            if is_json {
                jsonlines::write(&table, &path);
            } else {
                csv::write(&table, &path);
            }
            let error = run(pipeline).unwrap_err().to_string();
            assert!(error.contains(path.to_str().unwrap()) && error.contains(says), "{says}, {goes_on}: {error}");
        }
    }
}

// FAULTS 47
#[test]
fn texts_that_a_spreadsheet_would_run_are_escaped_on_request() {
    let texts = ["=1+1", "+1", "-1", "@a", "\ta", "\ra", "=\"a\",b", "a=1", "", "'=1", " =1"];
    let escaped = ["'=1+1", "'+1", "'-1", "'@a", "'\ta", "\"'\ra\"", "\"'=\"\"a\"\",b\"", "a=1", "\"\"", "'=1", " =1"];
    for (options, is_escaped) in [
        (csv::Options::new(), false),
        (csv::Options::new().escape_formulas(), true),
        (csv::Options::pathway(), false),
        (csv::Options::pathway().escape_formulas(), true),
    ] {
        let dir = TempDir::new();
        let pipeline = pipeline();
        let table = pipeline.read(source(move |subject: Subject<Sheet>| {
            for text in texts {
                subject.next(sheet(text))?;
            }
            Ok(subject.next(Sheet { maybe: None, ..sheet("x") })?)
        }));
        let is_pathway = options == csv::Options::pathway() || options == csv::Options::pathway().escape_formulas();
        csv::write_with(&table, dir.path("sheet.csv"), options);
        run(pipeline).unwrap();
        let file = read(dir.path("sheet.csv"));
        let mut reader = ::csv::Reader::from_reader(file.as_bytes());
        assert_eq!(&reader.headers().unwrap()[0], if is_escaped { "'=name" } else { "=name" });
        let records: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        for (record, text) in records.iter().zip(texts) {
            let is_formula = is_escaped && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
            let expected = if is_formula { format!("'{text}") } else { text.to_owned() };
            assert_eq!([&record[0], &record[1]], [&expected, &expected]);
            assert_eq!(&record[2], if is_escaped { "'+A==" } else { "+A==" });
            assert_eq!([&record[3], &record[4], &record[5], &record[6]], ["-1", "-1.5", "[\"=1\"]", "-7"]);
        }
        assert_eq!(&records[texts.len()][1], if is_pathway { "None" } else { "" });
        if is_escaped && !is_pathway {
            for (line, escaped) in file.split_inclusive('\n').skip(1).zip(escaped) {
                assert!(line.starts_with(&format!("{escaped},{escaped},'+A==,-1,")), "{line}");
            }
        }
    }
}
