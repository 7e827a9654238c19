//! A `json` column whose own `Serialize` fails, and a path that is not UTF-8. The push panics and affects no other row.

use std::thread;

use pathway_io::{ReadOptions, Schema};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::common::{Subject, commits, pipeline, run, source, updates};

/// A number that cannot be written if it is odd.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Even(i64);

impl Serialize for Even {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 2 == 1 { Err(S::Error::custom("it is odd")) } else { serializer.serialize_i64(self.0) }
    }
}

#[derive(Schema, Clone, Debug, PartialEq)]
struct Pair {
    key: i64,
    name: String,
    #[schema(json)]
    even: Even,
}

fn pair(key: i64) -> Pair {
    Pair { key, name: format!("number {key}"), even: Even(key) }
}

#[test]
fn a_panic_in_run_is_an_error_that_names_connector_type_and_reason() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|pairs: Subject<Pair>| {
            pairs.next(pair(2))?;
            Ok(pairs.next(pair(3))?)
        }),
        ReadOptions::new().name("pairs").autocommit(None),
    );
    let seen = commits(&table);
    let error = run(pipeline).unwrap_err().to_string();
    assert!(error.starts_with("connector `pairs` panicked in run: column `even`: a `"), "{error}");
    assert!(error.ends_with("Even` cannot be written as JSON: it is odd"), "{error}");
    assert_eq!(updates(&seen), [(pair(2), 1)]);
}

#[test]
fn rows_around_a_panic_in_a_client_thread_arrive() {
    let pipeline = pipeline();
    let table = pipeline.read(source(|pairs: Subject<Pair>| {
        let transaction = pairs.transaction();
        // Each push runs on its own thread, as in a client that continues after a panic.
        let panics = |push: &(dyn Fn() -> bool + Sync)| thread::scope(|scope| scope.spawn(push).join().is_err());
        let plain = [2, 3, 4].map(|key| panics(&|| pairs.next(pair(key)).is_ok()));
        let within = [6, 7].map(|key| panics(&|| transaction.next(pair(key)).is_ok()));
        assert_eq!((plain, within), ([false, true, false], [false, true]));
        pairs.next(pair(8))?;
        transaction.next(pair(10))?;
        transaction.commit()?;
        // A value that can be read but not written is a bad row.
        let error = pairs.next_json(r#"{"key": 5, "name": "five", "even": 5}"#).unwrap_err();
        assert_eq!((error.column(), error.reason()), (Some("even"), "it is odd"));
        Ok(())
    }));
    let seen = commits(&table);
    run(pipeline).unwrap();
    let rows: Vec<_> = updates(&seen).into_iter().map(|(row, _)| row).collect();
    assert_eq!(rows, [2, 4, 8, 6, 10].map(pair));
}

#[test]
fn a_panic_drops_the_whole_transaction() {
    let pipeline = pipeline();
    let table = pipeline.read(source(|pairs: Subject<Pair>| {
        let transaction = pairs.transaction();
        let pushed = thread::scope(|scope| scope.spawn(|| transaction.next(pair(3))).join());
        assert!(pushed.is_err());
        transaction.commit()?;
        Ok(pairs.next(pair(4))?)
    }));
    let seen = commits(&table);
    run(pipeline).unwrap();
    assert_eq!(updates(&seen), [(pair(4), 1)]);
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf8_is_named_with_its_column() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::path::PathBuf;

    #[derive(Schema)]
    struct Nested {
        kept: Option<PathBuf>,
    }
    #[derive(Schema)]
    struct Paths {
        path: PathBuf,
        all: Vec<Option<PathBuf>>,
        pair: (bool, PathBuf),
        #[schema(flatten)]
        nested: Nested,
    }
    let good = || PathBuf::from("good");
    let bad = || PathBuf::from(OsString::from_vec(vec![b'a', 0xff]));
    let paths = move || Paths { path: good(), all: vec![], pair: (true, good()), nested: Nested { kept: None } };
    type Spoil = fn(&mut Paths, PathBuf);
    let rows: [(&str, Spoil); 4] = [
        ("path", |row, bad| row.path = bad),
        ("all", |row, bad| row.all = vec![None, Some(bad)]),
        ("pair", |row, bad| row.pair.1 = bad),
        ("kept", |row, bad| row.nested.kept = Some(bad)),
    ];
    for (column, spoil) in rows {
        let pipeline = pipeline();
        let run_source = move |rows: Subject<Paths>| {
            rows.next(paths())?;
            let mut row = paths();
            spoil(&mut row, bad());
            Ok(rows.next(row)?)
        };
        let table = pipeline.read_with(source(run_source), ReadOptions::new().name("paths").autocommit(None));
        let seen = commits(&table);
        let error = run(pipeline).unwrap_err().to_string();
        let reason = format!("column `{column}`: the path a\u{fffd} is not UTF-8, so it cannot be a column");
        assert_eq!(error, format!("connector `paths` panicked in run: {reason}"));
        assert_eq!(updates(&seen).len(), 1);
    }
}
