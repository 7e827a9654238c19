//! Tables as Parquet files, and record batches: their contents, and the moments at which parts are complete.
#![cfg(feature = "parquet")]

#[allow(dead_code, reason = "these tests use a part of it")]
mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use common::{Cat, Number, TempDir, cat, next, numbers, pipeline, run, source, wait_until, within};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pathway_io::{
    BadRows, Connector, Pipeline, RawJson, ReadOptions, RunResult, Schema, Subject, Table, parquet as sink,
};
use serde_json::{Value, json};

/// Returns the names of the files in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Returns the batches of each part.
fn parts(directory: &Path) -> Vec<Vec<RecordBatch>> {
    let read = |name: &String| {
        let file = File::open(directory.join(name)).unwrap();
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect()
    };
    names(directory).iter().map(read).collect()
}

/// Returns the numbers in each part, with their diffs.
fn values(directory: &Path) -> Vec<Vec<u64>> {
    let of_batch = |batch: &RecordBatch| batch.column(0).as_primitive::<UInt64Type>().values().to_vec();
    parts(directory).iter().map(|batches| batches.iter().flat_map(of_batch).collect()).collect()
}

#[test]
fn a_part_has_whole_commits_up_to_its_number_of_rows() {
    let dir = TempDir::new();
    let path = dir.path("numbers");
    for _ in 0..2 {
        // The second run starts over.
        let pipeline = pipeline();
        let rows = source(|numbers: Subject<Number>| {
            for n in 0..10 {
                numbers.next(Number { n })?;
                if n % 2 == 1 {
                    numbers.commit()?;
                }
            }
            Ok(())
        });
        let numbers = pipeline.read_with(rows, ReadOptions::new().autocommit(None));
        sink::write(&numbers, &path, sink::Options::new().rows(3));
        run(pipeline).unwrap();
        assert_eq!(values(&path), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
    }
    let times: Vec<u64> = names(&path)
        .iter()
        .map(|name| name.trim_end_matches(".parquet").rsplit('-').next().unwrap().parse().unwrap())
        .collect();
    for (part, time) in parts(&path).iter().zip(times) {
        let last = part.last().unwrap().column_by_name("time").unwrap().as_primitive::<Int64Type>().values().to_vec();
        assert_eq!(last.last(), Some(&(time as i64)));
    }
}

#[test]
fn other_files_are_left_alone_and_an_empty_table_has_no_part() {
    let dir = TempDir::new();
    let path = dir.path("numbers");
    fs::create_dir(&path).unwrap();
    // Some of these are names that other programs give to their parts.
    let others = [
        "mine.parquet",
        "part-+0000001-5.parquet",
        "part-+1-+5.parquet",
        "part-0-3.parquet",
        "part-00000000-5.parquet",
        "part-000000001-5.parquet",
        "part-00000001-05.parquet",
        "part-1-5.parquet",
        "part-x.parquet",
    ];
    for name in others.into_iter().chain(["part-00000001-5.parquet", "part-123456789-5.parquet", ".part.parquet.new"]) {
        fs::write(path.join(name), "mine").unwrap();
    }
    let pipeline = pipeline();
    sink::write(&pipeline.read(numbers(0..0)), &path, sink::Options::new());
    run(pipeline).unwrap();
    assert_eq!(names(&path), others);

    let dir = TempDir::new();
    fs::create_dir(dir.path("cats")).unwrap();
    for name in others {
        fs::write(dir.path("cats").join(name), "mine").unwrap();
    }
    for cats in 1..=2 {
        persistent(&dir, cats).unwrap();
        assert_eq!(names(&dir.path("cats")).len(), others.len() + cats as usize);
    }
}

#[test]
fn a_file_that_has_the_name_of_the_directory_is_named() {
    let dir = TempDir::new();
    let file = dir.path("numbers.parquet");
    fs::write(&file, "mine").unwrap();
    for path in [file.clone(), file.join("parts")] {
        let pipeline = pipeline();
        sink::write(&pipeline.read(numbers(0..3)), &path, sink::Options::new());
        let error = run(pipeline).unwrap_err().to_string();
        let (path, name) = (path.display(), file.display());
        assert!(error.ends_with(&format!("cannot create `{path}`: `{name}` is not a directory")), "{error}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

// FAULTS 33, 45
#[test]
fn a_directory_has_one_writer() {
    let dir = TempDir::new();
    let path = dir.path("numbers");
    let (inner, link) = (path.clone(), dir.path("link"));
    let (said, saying) = mpsc::channel();
    let outer = pipeline();
    let rows = source(move |numbers: Subject<Number>| {
        numbers.next(Number { n: 7 })?;
        let second = pipeline();
        sink::write(&second.read(self::numbers(0..3)), &inner, sink::Options::new());
        said.send(run(second).map(drop).map_err(|error| error.to_string())).unwrap();
        Ok(())
    });
    sink::write(&outer.read(rows), &path, sink::Options::new());
    run(outer).unwrap();
    let error = next(&saying).unwrap_err();
    assert!(error.contains("numbers") && error.contains("another pipeline is writing it"), "{error}");
    assert_eq!(values(&path), [[7]]);

    // Two names of one directory, which is there already.
    #[cfg(unix)]
    std::os::unix::fs::symlink(&path, &link).unwrap();
    #[cfg(not(unix))]
    let link = link.with_file_name("numbers");
    let pipeline = pipeline();
    let table = pipeline.read(numbers(0..3));
    sink::write(&table, &path, sink::Options::new());
    sink::write(&table, link, sink::Options::new());
    let error = run(pipeline).unwrap_err().to_string();
    assert!(error.contains("two sinks write to one directory"), "{error}");
    assert_eq!(values(&path), [[7]]);
}

#[cfg(unix)]
#[test]
fn a_directory_that_is_replaced_during_a_run_is_an_error() {
    use std::os::unix::fs::symlink;

    let dir = TempDir::new();
    let (path, first, new) = (dir.path("numbers"), dir.path("first"), dir.path("new"));
    let second = dir.path("second");
    [&first, &second].into_iter().for_each(|directory| fs::create_dir(directory).unwrap());
    symlink(&first, &path).unwrap();
    let link = path.clone();
    let pipeline = pipeline();
    let rows = source(move |numbers: Subject<Number>| {
        numbers.next(Number { n: 7 })?;
        numbers.commit()?;
        wait_until("the first part is complete", || names(&link).iter().any(|name| name.starts_with("part-")));
        symlink(&second, &new)?;
        fs::rename(&new, &link)?;
        numbers.next(Number { n: 8 })?;
        Ok(numbers.commit()?)
    });
    sink::write(&pipeline.read(rows), &path, sink::Options::new().rows(1));
    let error = run(pipeline).unwrap_err().to_string();
    assert!(error.contains("numbers`: it was replaced by another file while the pipeline was writing it"), "{error}");
    assert_eq!(values(&first), [[7]]);
}

#[test]
fn a_part_ends_in_time_though_nothing_comes_any_more() {
    let dir = TempDir::new();
    let path = dir.path("numbers");
    let pipeline = pipeline();
    let rows = source(|numbers: Subject<Number>| {
        numbers.next(Number { n: 7 })?;
        numbers.commit()?;
        Ok(numbers.wait_closed()?)
    });
    let numbers = pipeline.read(rows);
    sink::write(&numbers, &path, sink::Options::new().every(Duration::from_millis(20)));
    let running = pipeline.start().unwrap();
    wait_until("no part", || path.exists() && names(&path).iter().any(|name| name.ends_with(".parquet")));
    assert_eq!(values(&path), [[7]]);
    running.stop();
    within(move || running.join()).unwrap();
    assert_eq!(values(&path), [[7]]);
}

#[derive(Schema)]
struct Types {
    id: i32,
    yes: Option<bool>,
    big: u64,
    single: f32,
    text: Option<String>,
    bytes: Vec<u8>,
    nap: Duration,
    json: Value,
    list: Vec<Option<f64>>,
    array: [i64; 2],
    pair: Option<(bool, String)>,
    deep: Vec<Vec<Vec<u8>>>,
}

fn types(id: i32) -> Types {
    Types {
        id,
        yes: Some(true),
        big: u64::MAX,
        single: 0.1,
        text: Some("a \"b\"\n\0".into()),
        bytes: vec![0, 255],
        nap: Duration::from_nanos(1_500),
        json: json!({"a": [1, null]}),
        list: vec![Some(0.1), None, Some(f64::NAN), Some(f64::NEG_INFINITY)],
        array: [i64::MIN, i64::MAX],
        pair: Some((true, "é".into())),
        deep: vec![vec![vec![0, 1]], vec![]],
    }
}

#[test]
fn every_type_keeps_its_value() {
    let dir = TempDir::new();
    let path = dir.path("types");
    let pipeline = pipeline();
    let rows = source(|subject: Subject<Types>| {
        subject.next(types(1))?;
        subject.next(Types { yes: None, text: None, list: vec![], pair: None, deep: vec![], ..types(2) })?;
        Ok(())
    });
    let table = pipeline.read(rows);
    let commits = table.commits(4);
    sink::write(&table, &path, sink::Options::new());
    run(pipeline).unwrap();
    let direct = commits.recv().unwrap().record_batch_of_updates().unwrap();
    let read = parts(&path).concat();
    let read = arrow_select(&read);
    assert_eq!(read.num_rows(), 2);
    for (column, field) in direct.columns().iter().zip(direct.schema().fields()) {
        let other = read.column_by_name(field.name()).unwrap();
        if field.name() == "array" {
            // A list of a fixed size in a record batch, and a list in a file.
            let (array, list) = (column.as_fixed_size_list(), other.as_list::<i32>());
            assert_eq!(format!("{:?}", list.values()), format!("{:?}", array.values()));
            assert_eq!(list.value_length(0), array.value_length());
            continue;
        }
        assert_eq!(other.data_type(), column.data_type(), "{}", field.name());
        assert_eq!(format!("{other:?}"), format!("{column:?}"), "{}", field.name());
    }
    assert_eq!(read.column(0).as_primitive::<Int32Type>().values(), &[1, 2]);
    assert!(read.column(1).is_null(1) && read.column(4).is_null(1) && read.column(10).is_null(1));
    assert_eq!(read.column(2).as_primitive::<UInt64Type>().value(0), u64::MAX);
    assert_eq!(read.column(4).as_string::<i32>().value(0), "a \"b\"\n\0");
    assert_eq!(read.column(5).as_binary::<i32>().value(0), [0, 255]);
    assert_eq!(read.column(7).as_string::<i32>().value(0), r#"{"a":[1,null]}"#);
    let list = read.column(8).as_list::<i32>().value(0);
    let floats = list.as_primitive::<arrow_array::types::Float64Type>();
    assert!(floats.value(0) == 0.1 && floats.is_null(1) && floats.value(2).is_nan() && floats.value(3).is_infinite());
    assert_eq!(read.column(9).as_list::<i32>().value(0).as_primitive::<Int64Type>().values(), &[i64::MIN, i64::MAX]);
    assert_eq!(read.column(10).as_struct().column(1).as_string::<i32>().value(0), "é");
    let deep = read.column(11).as_list::<i32>().value(0);
    assert_eq!(deep.as_list::<i32>().value(0).as_binary::<i32>().value(0), [0, 1]);
    assert_eq!(direct.schema().field_with_name("diff").unwrap().data_type(), &DataType::Int64);
}

/// One part has one batch here.
fn arrow_select(batches: &[RecordBatch]) -> RecordBatch {
    assert_eq!(batches.len(), 1);
    batches[0].clone()
}

#[derive(Schema)]
struct Nested {
    raw: Vec<RawJson>,
    pair: (RawJson, i64),
    map: BTreeMap<String, RawJson>,
    maybe: Vec<Option<Value>>,
    json: Vec<Value>,
    singles: Vec<f32>,
    wide: Vec<i128>,
}

/// A part holds every value that a push accepts, unchanged.
#[test]
fn json_and_floats_in_nested_columns_keep_their_text() {
    let texts = ["12345678901234567890123", r#"{"b":1.50,"a":1e400,"b":null}"#, r#""\ud800""#, "null"];
    let raw = texts.map(|text| RawJson::new(text).unwrap());
    // A decimal that is not the same `f32` if it is rounded to an `f64` first.
    let single = "7.038531e-26".parse().unwrap();
    let row = Nested {
        raw: raw.to_vec(),
        pair: (raw[1].clone(), 1),
        map: [("b".into(), raw[2].clone()), ("a\n".into(), raw[0].clone())].into(),
        maybe: vec![None, Some(json!([null]))],
        json: vec![Value::Null, json!("a")],
        singles: vec![single, 0.1, f32::NEG_INFINITY],
        wide: vec![i128::MAX, -1],
    };
    let dir = TempDir::new();
    let path = dir.path("nested");
    let pipeline = pipeline();
    let mut row = Some(row);
    let table = pipeline.read(source(move |subject: Subject<Nested>| Ok(subject.next(row.take().unwrap())?)));
    sink::write(&table, &path, sink::Options::new());
    run(pipeline).unwrap();
    let read = arrow_select(&parts(&path).concat());
    let strings = |array: &dyn Array| -> Vec<Option<String>> {
        array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    };
    let some = |texts: &[&str]| texts.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>();
    let list = |column: usize| read.column(column).as_list::<i32>().value(0);
    assert_eq!(strings(&list(0)), some(&texts));
    assert_eq!(strings(read.column(1).as_struct().column(0)), some(&texts[1..2]));
    let map = read.column(2).as_map().value(0);
    assert_eq!(strings(map.column(0)), some(&["a\n", "b"]));
    assert_eq!(strings(map.column(1)), some(&[texts[0], texts[2]]));
    assert_eq!(strings(&list(3)), [None, Some("[null]".to_owned())]);
    assert_eq!(strings(&list(4)), some(&["null", "\"a\""]));
    let singles = list(5);
    assert_eq!(singles.as_primitive::<arrow_array::types::Float32Type>().values(), &[single, 0.1, f32::NEG_INFINITY]);
    assert_eq!(strings(&list(6)), some(&["170141183460469231731687303715884105727", "-1"]));
}

#[derive(Schema)]
struct Blob {
    bytes: Vec<u8>,
}

#[test]
fn a_part_that_is_not_complete_has_a_name_that_readers_of_the_directory_ignore() {
    let dir = TempDir::new();
    let path = dir.path("numbers");
    let (inner, (said, saying)) = (path.clone(), mpsc::channel());
    let rows = source(move |numbers: Subject<Number>| {
        // More rows than are collected before they are encoded.
        (0..20_000).try_for_each(|n| numbers.next(Number { n }))?;
        numbers.commit()?;
        wait_until("a part is begun", || !names(&inner).is_empty());
        Ok(said.send(names(&inner))?)
    });
    let pipeline = pipeline();
    sink::write(&pipeline.read(rows), &path, sink::Options::new());
    run(pipeline).unwrap();
    let during = next(&saying);
    assert!(during.iter().all(|name| name.starts_with('.') && !name.ends_with(".parquet")), "{during:?}");
    assert_eq!(values(&path).len(), 1);
}

#[test]
fn rows_are_encoded_before_they_fill_the_memory() {
    const MIB: usize = 1024 * 1024;
    // One commit, and one commit for each row.
    for whole in [true, false] {
        let dir = TempDir::new();
        let path = dir.path("blobs");
        let pipeline = pipeline();
        let rows = source(move |blobs: Subject<Blob>| {
            let mut random = 7_u64;
            let all = blobs.transaction();
            for _ in 0..80 {
                let mut bytes = Vec::with_capacity(MIB);
                while bytes.len() < MIB {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    bytes.extend_from_slice(&random.to_be_bytes());
                }
                if whole {
                    all.next(Blob { bytes })?;
                } else {
                    blobs.next(Blob { bytes })?;
                    blobs.commit()?;
                }
            }
            Ok(all.commit()?)
        });
        sink::write(&pipeline.read_with(rows, ReadOptions::new().autocommit(None)), &path, sink::Options::new());
        run(pipeline).unwrap();
        let file = File::open(path.join(&names(&path)[0])).unwrap();
        let file = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let groups: Vec<i64> = file.metadata().row_groups().iter().map(|group| group.compressed_size()).collect();
        // A row group grows by the rows that are encoded at once, up to 64 MiB.
        assert!(groups.len() == 2 && groups.iter().all(|bytes| *bytes <= 65 * MIB as i64), "{groups:?}");
    }
}

#[derive(Schema)]
struct Lease {
    #[schema(primary_key)]
    key: i64,
    until: SystemTime,
    notice: Option<Duration>,
    extensions: Vec<(String, Duration)>,
}

fn lease(key: i64) -> Lease {
    Lease { key, until: SystemTime::UNIX_EPOCH, notice: None, extensions: Vec::new() }
}

/// Returns leases with values that Arrow does not have, and the column of each.
fn leases_beyond_arrow() -> Vec<(Lease, &'static str)> {
    // The first instant of the year 9999.
    let year_9999 = SystemTime::UNIX_EPOCH + Duration::from_secs(253_370_764_800);
    let before_1677 = SystemTime::UNIX_EPOCH - Duration::from_secs(10_000_000_000);
    vec![
        (Lease { until: year_9999, ..lease(-1) }, "until"),
        (Lease { until: before_1677, ..lease(-2) }, "until"),
        (Lease { notice: Some(Duration::MAX), ..lease(-3) }, "notice"),
        (
            Lease { extensions: vec![("a".into(), Duration::ZERO), ("b".into(), Duration::MAX)], ..lease(-4) },
            "extensions",
        ),
    ]
}

/// Pushes good leases around one that Arrow does not have.
fn persistent_leases(
    dir: &TempDir,
    bad_rows: BadRows,
    which: Option<usize>,
) -> pathway_io::Result<pathway_io::Summary> {
    let pipeline = Pipeline::persistent(dir.path("state")).unwrap();
    pipeline.handle_signals(false);
    let rows = source(move |leases: Subject<Lease, i64>| {
        let from = leases.resume().unwrap_or(0);
        leases.next_at(from + 1, lease(from))?;
        if let Some(which) = which {
            leases.next(leases_beyond_arrow().remove(which).0)?;
        }
        Ok(leases.next_at(from + 2, lease(from + 1))?)
    });
    let leases = pipeline.read_with(rows, ReadOptions::new().name("leases").autocommit(None).bad_rows(bad_rows));
    sink::write(&leases, dir.path("leases"), sink::Options::new());
    run(pipeline)
}

// Contract 7.6
// FAULTS 41
#[test]
fn a_value_that_arrow_does_not_have_is_a_bad_row_and_never_durable() {
    let keys = |dir: &TempDir| -> Vec<i64> {
        let of_batch = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().to_vec();
        parts(&dir.path("leases")).iter().flatten().flat_map(of_batch).collect()
    };
    for (which, (_, column)) in leases_beyond_arrow().into_iter().enumerate() {
        let dir = TempDir::new();
        let error = persistent_leases(&dir, BadRows::Fail, Some(which)).unwrap_err().to_string();
        let expected = format!("row 2, column `{column}`: it has a value that is out of the range of its Arrow type");
        assert!(error.contains("`leases`") && error.contains(&expected), "{error}");
        let summary = persistent_leases(&dir, BadRows::Skip, Some(which)).unwrap();
        assert_eq!(summary.sources[0].bad_rows, 1);
        persistent_leases(&dir, BadRows::Fail, None).unwrap();
        assert_eq!(keys(&dir), [0, 1, 2, 3, 4]);
    }
}

#[cfg(all(feature = "chrono", feature = "jiff", feature = "uuid", feature = "rust_decimal"))]
mod others {
    use super::*;

    #[derive(Schema)]
    struct Others {
        day: chrono::NaiveDate,
        time_of_day: jiff::civil::Time,
        moment: jiff::civil::DateTime,
        at: Option<jiff::Timestamp>,
        offset: chrono::DateTime<chrono::FixedOffset>,
        span: jiff::SignedDuration,
        id: uuid::Uuid,
        price: rust_decimal::Decimal,
        days: Vec<chrono::NaiveDate>,
    }

    #[test]
    fn dates_and_the_like_are_numbers_of_arrow() {
        let pipeline = pipeline();
        let commits = pipeline
            .read(source(|subject: Subject<Others>| {
                Ok(subject.next(Others {
                    day: "2021-03-21".parse().unwrap(),
                    time_of_day: "18:34:12.000000001".parse().unwrap(),
                    moment: "1969-12-31T23:59:59.5".parse().unwrap(),
                    at: Some("2021-03-21T00:00:00.000000001Z".parse().unwrap()),
                    offset: "2021-03-21T01:00:00+01:00".parse().unwrap(),
                    span: jiff::SignedDuration::from_nanos(-5),
                    id: "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap(),
                    price: "-12.50".parse().unwrap(),
                    days: vec!["1970-01-02".parse().unwrap()],
                })?)
            }))
            .commits(1);
        run(pipeline).unwrap();
        let batch = commits.recv().unwrap().record_batch().unwrap();
        let text = format!("{batch:?}");
        for expected in ["2021-03-21", "18:34:12.000000001", "1969-12-31T23:59:59.500", "2021-03-21T00:00:00.000000001"]
        {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        let decimals = batch.column(7).as_primitive::<arrow_array::types::Decimal256Type>();
        assert_eq!(decimals.value_as_string(0), "-12.5000000000000000000000000000");
        assert_eq!(
            batch.column(4).as_primitive::<arrow_array::types::TimestampNanosecondType>().value(0),
            1_616_284_800_000_000_000
        );
        assert_eq!(batch.column(6).as_fixed_size_binary().value(0)[0], 0x67);
        let days = batch.column(8).as_list::<i32>().value(0);
        assert_eq!(days.as_primitive::<arrow_array::types::Date32Type>().value(0), 1);
    }

    // Contract 7.6
    #[test]
    fn dates_and_the_like_that_arrow_does_not_have_are_bad_rows() {
        let dir = TempDir::new();
        let good = |n: i64| {
            json!({
                "day": "9999-12-31", "time_of_day": "23:59:59.999999999", "moment": "2262-04-11T23:47:16.854775807",
                "at": null, "offset": "1677-09-21T01:12:43.145224192+01:00", "span": i64::MIN,
                "id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "price": "79228162514264337593543950335", "days": ["-9999-01-01"],
                "n": n,
            })
        };
        let beyond = [
            ("moment", "2262-04-11T23:47:16.854775808"),
            ("at", "9999-01-01T00:00:00Z"),
            ("offset", "1677-09-21T01:12:43.145224191+01:00"),
        ];
        let rows = source(move |rows: Subject<Others>| {
            rows.next_value(good(1))?;
            for (column, value) in beyond {
                let mut row = good(2);
                row[column] = value.into();
                let error = rows.next_value(row).unwrap_err().to_string();
                assert!(
                    error.contains(&format!("column `{column}`: it has a value that is out of the range")),
                    "{error}"
                );
            }
            Ok(rows.next_value(good(3))?)
        });
        let pipeline = pipeline();
        sink::write(&pipeline.read(rows), dir.path("others"), sink::Options::new());
        run(pipeline).unwrap();
        assert_eq!(parts(&dir.path("others"))[0][0].num_rows(), 2);
    }
}

/// A source of cats up to a number, with an offset after each.
struct Cats(i64);

impl Connector for Cats {
    type Subjects = Subject<Cat, i64>;
    type Tables = Table<Cat>;

    fn run(&mut self, cats: Subject<Cat, i64>) -> RunResult {
        for key in cats.resume().unwrap_or(0)..self.0 {
            cats.next_at(key + 1, cat(key, "felis"))?;
            cats.commit()?;
        }
        Ok(())
    }
}

fn persistent(dir: &TempDir, cats: i64) -> pathway_io::Result<pathway_io::Summary> {
    persistent_to(dir, "cats", cats)
}

fn persistent_to(dir: &TempDir, parts: &str, cats: i64) -> pathway_io::Result<pathway_io::Summary> {
    let pipeline = Pipeline::persistent(dir.path("state")).unwrap();
    pipeline.handle_signals(false);
    let cats = pipeline.read_with(Cats(cats), ReadOptions::new().name("cats"));
    sink::write(&cats, dir.path(parts), sink::Options::new().rows(4));
    run(pipeline)
}

#[test]
fn the_parts_are_not_in_the_state_directory() {
    for parts in ["state", "state/parts", "state/parts/cats"] {
        let dir = TempDir::new();
        let error = persistent_to(&dir, parts, 10).unwrap_err().to_string();
        assert!(error.contains("it is in the state directory, which must not hold other files"), "{parts}: {error}");
        // The next start, with another directory, finds the state as it was.
        persistent(&dir, 10).unwrap();
    }
}

#[test]
fn a_persistent_pipeline_continues_its_parts() {
    let dir = TempDir::new();
    let path = dir.path("cats");
    let keys = |directory: &Path| -> Vec<i64> {
        let of_batch = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().to_vec();
        parts(directory).iter().flatten().flat_map(of_batch).collect()
    };
    persistent(&dir, 10).unwrap();
    assert_eq!(keys(&path), (0..10).collect::<Vec<_>>());
    let before = names(&path);
    persistent(&dir, 15).unwrap();
    assert_eq!(keys(&path), (0..15).collect::<Vec<_>>());
    assert_eq!(names(&path)[..before.len()], before);
    // Commits that the state still has are written again. The others are missing, which is an error.
    fs::remove_file(path.join(names(&path).last().unwrap())).unwrap();
    persistent(&dir, 16).unwrap();
    assert_eq!(keys(&path), (0..16).collect::<Vec<_>>());
    for name in names(&path) {
        fs::remove_file(path.join(name)).unwrap();
    }
    let error = persistent(&dir, 17).unwrap_err().to_string();
    assert!(error.contains("it was emptied, or replaced by another one"), "{error}");
}

#[test]
fn a_complete_part_that_is_removed_or_cut_is_named_at_the_start() {
    let dir = TempDir::new();
    let path = dir.path("cats");
    persistent(&dir, 14).unwrap();
    let names = names(&path);
    assert!(names.len() >= 3, "{names:?}");
    let part = path.join(&names[1]);
    let whole = fs::read(&part).unwrap();
    let refused = |expected: &str| {
        let error = persistent(&dir, 15).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("help: restore the directory and"), "{error}");
    };
    for len in [0, 3, whole.len() / 2, whole.len() - 1] {
        fs::write(&part, &whole[..len]).unwrap();
        refused(&format!("`{}` was shortened or damaged", part.display()));
    }
    fs::remove_file(&part).unwrap();
    refused(&format!("the part with the number 2 is missing in `{}`", path.display()));
    #[cfg(unix)]
    {
        // It is not opened: that would wait for another program.
        assert!(std::process::Command::new("mkfifo").arg(&part).status().unwrap().success());
        refused(&format!("`{}` was shortened or damaged", part.display()));
        fs::remove_file(&part).unwrap();
    }
    fs::write(&part, &whole).unwrap();
    let double = path.join("part-00000002-1.parquet");
    fs::write(&double, &whole).unwrap();
    refused("has the number of another part");
    fs::remove_file(&double).unwrap();
    persistent(&dir, 15).unwrap();
}

#[test]
fn a_complete_part_that_is_removed_or_cut_under_a_run_fails_it() {
    for expected in ["was removed or renamed", "has 3 bytes, and had"] {
        let dir = TempDir::new();
        let path = dir.path("cats");
        let pipeline = Pipeline::persistent(dir.path("state")).unwrap();
        pipeline.handle_signals(false);
        let directory = path.clone();
        let rows = source(move |cats: Subject<Cat, i64>| {
            for key in 0..4 {
                cats.next_at(key + 1, cat(key, "felis"))?;
            }
            cats.commit()?;
            let mut parts = Vec::new();
            wait_until("no part", || {
                parts = names(&directory).into_iter().filter(|name| name.ends_with(".parquet")).collect();
                !parts.is_empty()
            });
            let part = directory.join(&parts[0]);
            match expected {
                "was removed or renamed" => fs::remove_file(part)?,
                _ => fs::write(part, "cut")?,
            }
            Ok(cats.next_at(5, cat(5, "lynx"))?)
        });
        let cats = pipeline.read_with(rows, ReadOptions::new().name("cats").autocommit(None));
        sink::write(&cats, &path, sink::Options::new().rows(4));
        let error = run(pipeline).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("part-00000001-"), "{error}");
        assert!(names(&path).iter().all(|name| !name.starts_with("part-00000002")), "{:?}", names(&path));
    }
}
