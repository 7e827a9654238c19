//! Values that PostgreSQL cannot hold.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use pathway_io::{BadRows, Pipeline, RawJson, Result, RunResult, Schema, Subject, Summary, postgres as sink};
use postgres::{Client, NoTls};
#[allow(unused_imports, reason = "some tests need features")]
use serde_json::{Value, json};

#[allow(unused_imports, reason = "some tests need features")]
use crate::common::{Cat, TempDir, cat, run, source};
use crate::options;
use crate::server::{self, Server};

/// Creates a database, and returns its connection string, or `None` without a server.
fn database() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(server::start).as_ref()?;
    Some(server.database(&format!("db{}", NEXT.fetch_add(1, Ordering::SeqCst))))
}

fn count(config: &str, table: &str) -> i64 {
    let query = format!("SELECT count(*) FROM \"{table}\"");
    Client::connect(config, NoTls).unwrap().query_one(&query, &[]).unwrap().get(0)
}

fn written<S: Schema>(
    pipeline: Pipeline,
    config: &str,
    to: sink::Options,
    bad_rows: BadRows,
    run_source: impl FnMut(Subject<S, u64>) -> RunResult + Send + 'static,
) -> Result<Summary> {
    pipeline.handle_signals(false);
    let table = pipeline.read_with(source(run_source), options(bad_rows));
    sink::write_with(&table, config, to);
    run(pipeline)
}

#[derive(Schema, Clone, Default)]
struct Texts {
    #[schema(primary_key)]
    key: String,
    text: String,
    maybe: Option<String>,
    list: Vec<String>,
    json: Value,
    bytes: Vec<u8>,
}

/// Returns each refused row with its column.
#[cfg(feature = "persist")]
fn refused() -> Vec<(&'static str, Texts)> {
    let row = Texts::default;
    let nul = || "a\0b".to_owned();
    vec![
        ("key", Texts { key: nul(), ..row() }),
        ("text", Texts { text: nul(), ..row() }),
        ("maybe", Texts { maybe: Some(nul()), ..row() }),
        ("list", Texts { list: vec![nul()], ..row() }),
        ("json", Texts { json: json!({"a": [nul()]}), ..row() }),
        ("json", Texts { json: json!({"a\0": 1}), ..row() }),
        ("bytes", Texts { bytes: vec![0; 200_000], ..row() }),
        ("text", Texts { text: "x".repeat(200_000), ..row() }),
        ("json", Texts { json: json!("x".repeat(200_000)), ..row() }),
    ]
}

#[test]
#[cfg(feature = "persist")]
fn a_persistent_pipeline_refuses_them_at_the_push_and_starts_again() {
    let Some(config) = database() else { return };
    let directory = TempDir::new();
    for start in 0..2 {
        let run = move |texts: Subject<Texts, u64>| {
            for (column, row) in refused() {
                let json = json!({"key": row.key, "text": row.text, "maybe": row.maybe, "list": row.list, "json": row.json,
                                  "bytes": base64(&row.bytes)});
                let error = texts.next_json(json.to_string()).unwrap_err();
                assert_eq!(error.column(), Some(column), "{error}");
            }
            // PostgreSQL holds keys of every length up to the limit of the check, and a text that only looks like a
            // NUL.
            for len in 2_600..2_700 {
                // It does not compress.
                let key: String =
                    (0..len).map(|i| char::from(b'!' + ((i * i * 7 + i / 3 + len * 31) % 90) as u8)).collect();
                let row =
                    Texts { key, text: "\\u0000".into(), json: json!("\\u0000"), bytes: vec![0], ..Texts::default() };
                let json = json!({"key": row.key, "text": row.text, "list": [], "json": row.json, "bytes": "AA=="});
                match texts.next_json(json.to_string()) {
                    Ok(()) => assert!(len <= 2_688, "{len}"),
                    Err(error) => {
                        assert_eq!(error.column(), Some("key"), "{error}");
                        assert!(len > 2_688, "{len}: {error}");
                    }
                }
            }
            Ok(texts.commit_at(start + 1)?)
        };
        let pipeline = Pipeline::persistent(directory.path("state")).unwrap();
        let to = sink::Options::new().row_limit(100_000);
        written(pipeline, &config, to, BadRows::Fail, run).unwrap();
        assert_eq!(count(&config, "Texts"), 89);
    }
}

#[cfg(feature = "persist")]
fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

#[derive(Schema)]
struct Raw {
    #[schema(primary_key)]
    key: u64,
    json: RawJson,
}

/// Returns JSON texts around each limit of `jsonb`.
fn raw_texts() -> Vec<String> {
    let strings = [
        r"\\ud800",
        r"\ud800",
        r"\uDBFF",
        r"\ude00",
        r"\ud83d\ude00",
        r"\ud83d\uDE00\ud83d",
        r"\ud83dx\ude00",
        r"\ud83d\\ude00",
        r"\ud83d\ud83d\ude00",
        r"\\\ud800",
        r"\u0000",
        r"\u0001",
        "e99999",
    ];
    let numbers = [
        "-0",
        "1e3",
        "1e131071",
        "1e131072",
        "-1e131072",
        "1E+131072",
        "9.9e131071",
        "10e131071",
        "12345e131067",
        "12345e131068",
        "0.001e131074",
        "0.001e131075",
        "1e400000",
        "0e400000",
        "0e1073741822",
        "0e1073741823",
        "1e99999999999999999999",
        "0e-99999999999999999999",
        "1e-16383",
        "1e-16384",
        "1.0e-16383",
        "0e-16384",
    ];
    let mut texts: Vec<String> = strings.iter().map(|text| format!("\"{text}\"")).collect();
    texts.extend(strings.iter().map(|text| format!("{{\"{text}\": 1}}")));
    texts.extend(numbers.iter().map(|number| format!("[{number}]")));
    for digits in [16_383, 16_384, 131_072, 131_073] {
        let ones = "1".repeat(digits);
        texts.extend([
            ones.clone(),
            format!("-{ones}"),
            format!("0.{ones}"),
            format!("0.{ones}e4"),
            format!("\"{ones}\""),
        ]);
    }
    texts
}

#[test]
fn json_that_the_server_refuses_is_refused_at_the_push() {
    let Some(config) = database() else { return };
    let server = config.clone();
    let run = move |raw: Subject<Raw, u64>| {
        let mut client = Client::connect(&server, NoTls).unwrap();
        let mut taken = 0;
        for text in raw_texts() {
            let by_server = client.query_one("SELECT ($1::text)::jsonb IS NULL", &[&text]).is_ok();
            let pushed = raw.next_json(format!("{{\"key\":{taken},\"json\":{text}}}"));
            assert_eq!(pushed.is_ok(), by_server, "{} {pushed:?}", &text[..text.len().min(40)]);
            match pushed {
                Ok(()) => taken += 1,
                Err(error) => assert_eq!(error.column(), Some("json"), "{error}"),
            }
        }
        assert!((20..raw_texts().len() - 20).contains(&taken), "{taken}");
        Ok(())
    };
    let summary = written(Pipeline::new(), &config, sink::Options::new(), BadRows::Fail, run).unwrap();
    assert_eq!(count(&config, "Raw") as u64, summary.rows());
}

#[test]
fn a_table_of_updates_has_no_limit_of_keys() {
    let Some(config) = database() else { return };
    let run = |texts: Subject<Texts, u64>| {
        let key = (0..5_000_u64).map(|i| char::from(b'!' + (i * i * 7 % 90) as u8)).collect();
        Ok(texts.next(Texts { key, ..Texts::default() })?)
    };
    written(Pipeline::new(), &config, sink::Options::new().updates(), BadRows::Fail, run).unwrap();
    assert_eq!(count(&config, "Texts"), 1);
}

#[cfg(all(feature = "chrono", feature = "jiff"))]
#[test]
fn dates_and_times_outside_of_its_range_are_refused_at_the_push() {
    #[derive(Schema, Clone)]
    struct Times {
        date: chrono::NaiveDate,
        at: chrono::NaiveDateTime,
        instant: jiff::Timestamp,
        clock: chrono::NaiveTime,
    }
    let Some(config) = database() else { return };
    let date = |year| chrono::NaiveDate::from_ymd_opt(year, 6, 1).unwrap();
    let day = |year, month, day| chrono::NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let row = Times {
        date: date(2000),
        at: date(2000).and_hms_opt(1, 2, 3).unwrap(),
        instant: jiff::Timestamp::UNIX_EPOCH,
        clock: chrono::NaiveTime::from_hms_nano_opt(23, 59, 59, 1_000_000_000).unwrap(),
    };
    let noon = |date: chrono::NaiveDate| date.and_hms_opt(12, 0, 0).unwrap();
    let good = [
        row.clone(),
        Times { instant: jiff::Timestamp::MAX, ..row.clone() },
        Times { date: day(-4713, 11, 24), at: noon(day(-4713, 11, 24)), ..row.clone() },
        Times { date: chrono::NaiveDate::MAX, at: noon(day(262_142, 12, 31)), ..row.clone() },
    ];
    let bad = [
        ("date", Times { date: day(-4713, 11, 23), ..row.clone() }),
        ("date", Times { date: chrono::NaiveDate::MIN, ..row.clone() }),
        ("at", Times { at: noon(day(-4713, 11, 23)), ..row.clone() }),
        ("instant", Times { instant: jiff::Timestamp::MIN, ..row.clone() }),
        ("clock", Times { clock: chrono::NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap(), ..row }),
    ];
    let directory = TempDir::new();
    let quarantine = directory.path("bad.jsonl");
    let columns = bad.clone().map(|(column, _)| column);
    let run = move |times: Subject<Times, u64>| {
        for row in good.iter().chain(bad.iter().map(|(_, row)| row)) {
            times.next(row.clone())?;
        }
        Ok(())
    };
    written(Pipeline::new(), &config, sink::Options::new(), BadRows::Quarantine(quarantine.clone()), run).unwrap();
    assert_eq!(count(&config, "Times"), 4);
    let text = crate::read(quarantine);
    for (line, column) in text.lines().zip(columns) {
        let line: Value = serde_json::from_str(line).unwrap();
        let reason = line["reason"].as_str().unwrap();
        assert!(
            reason.contains(&format!("column `{column}`: it has a date or time that PostgreSQL does not have")),
            "{reason}"
        );
    }
    assert_eq!(text.lines().count(), 5);
}

/// Pushes keys up to 9 in two commits. The server refuses 3 and 7.
fn nine(cats: Subject<Cat, u64>) -> RunResult {
    for key in 1..=9 {
        cats.next(cat(key, if key == 3 || key == 7 { "panthera" } else { "lynx" }))?;
        if key == 5 {
            cats.commit()?;
        }
    }
    Ok(())
}

#[test]
fn rows_refused_by_constraints_and_triggers_are_left_out() {
    let Some(config) = database() else { return };
    let check = "genus text CHECK (length(genus) < 8)";
    let trigger = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN IF NEW.genus = 'panthera' THEN RAISE EXCEPTION 'too large'; END IF; RETURN NEW; END $$; \
        CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON cats FOR EACH ROW EXECUTE FUNCTION refuse()";
    let deferred = "CREATE TABLE genera (name text PRIMARY KEY); INSERT INTO genera VALUES ('lynx'); \
        ALTER TABLE cats ADD FOREIGN KEY (genus) REFERENCES genera DEFERRABLE INITIALLY DEFERRED";
    // A value that takes more than 1 GB in the server.
    let memory =
        trigger.replace("'too large'", "'%', 'invalid memory alloc request size 1073741824' USING ERRCODE = 'XX000'");
    let own_state = trigger.replace("'too large'", "'too large' USING ERRCODE = 'ZZ001'");
    let assertion = trigger.replace("RAISE EXCEPTION 'too large'", "ASSERT false");
    for (columns, more) in [
        (check, ""),
        ("genus text", trigger),
        ("genus text", &memory),
        ("genus text", &own_state),
        ("genus text", &assertion),
        ("genus text", deferred),
    ] {
        let mut client = Client::connect(&config, NoTls).unwrap();
        client
            .batch_execute("DROP TABLE IF EXISTS cats, genera, pathway_io_tables; DROP FUNCTION IF EXISTS refuse")
            .unwrap();
        client.batch_execute(&format!("CREATE TABLE cats (key bigint PRIMARY KEY, {columns}); {more}")).unwrap();
        let to = || sink::Options::new().table("cats");
        written(Pipeline::new(), &config, to(), BadRows::Fail, nine).unwrap_err();
        let directory = TempDir::new();
        let path = directory.path("refused.jsonl");
        let summary = written(
            Pipeline::new(),
            &config,
            to().refused_rows(BadRows::Quarantine(path.clone())),
            BadRows::Fail,
            nine,
        );
        assert_eq!(summary.unwrap().refused_updates, 2, "{more}");
        let keys: Vec<i64> =
            client.query("SELECT key FROM cats ORDER BY key", &[]).unwrap().iter().map(|row| row.get(0)).collect();
        assert_eq!(keys, [1, 2, 4, 5, 6, 8, 9], "{more}");
        let lines = crate::read(&path);
        assert!(lines.lines().count() == 2 && lines.lines().all(|line| line.contains("panthera")), "{lines}");
    }
}

#[test]
fn rows_refused_by_a_policy_of_rows_are_left_out() {
    let Some(config) = database() else { return };
    let mut client = Client::connect(&config, NoTls).unwrap();
    // A superuser is subject to no policy.
    client
        .batch_execute(
            "CREATE ROLE keeper LOGIN; GRANT ALL ON SCHEMA public TO keeper;
             CREATE TABLE cats (key bigint PRIMARY KEY, genus text); ALTER TABLE cats OWNER TO keeper;
             ALTER TABLE cats ENABLE ROW LEVEL SECURITY; ALTER TABLE cats FORCE ROW LEVEL SECURITY;
             CREATE POLICY small ON cats USING (true) WITH CHECK (genus <> 'panthera')",
        )
        .unwrap();
    let config = config.replace("user=postgres", "user=keeper");
    let to = || sink::Options::new().table("cats");
    let error = written(Pipeline::new(), &config, to(), BadRows::Fail, nine).unwrap_err().to_string();
    assert!(error.contains("violates row-level security policy"), "{error}");
    let summary = written(Pipeline::new(), &config, to().refused_rows(BadRows::Skip), BadRows::Fail, nine).unwrap();
    assert_eq!((summary.refused_updates, count(&config, "cats")), (2, 7));
    // A missing privilege has the same SQLSTATE, but does not refuse the row itself.
    client.batch_execute("ALTER TABLE cats OWNER TO postgres; GRANT SELECT, DELETE ON cats TO keeper").unwrap();
    let error = written(Pipeline::new(), &config, to().refused_rows(BadRows::Skip), BadRows::Fail, nine).unwrap_err();
    assert!(error.to_string().contains("permission denied for table cats"), "{error}");
}

#[test]
fn only_rows_are_left_out_that_the_rest_of_the_commit_does_not_make_possible() {
    let Some(config) = database() else { return };
    // The third row is refused, with any other rows.
    let removed: fn(&Subject<Cat, u64>) -> RunResult = |cats| Ok(cats.remove(1)?);
    let changed: fn(&Subject<Cat, u64>) -> RunResult = |cats| Ok(cats.next(cat(1, "puma"))?);
    for (second, expected, refused) in [(removed, (2, "lynx"), vec![3]), (changed, (1, "puma"), vec![2, 3])] {
        let mut client = Client::connect(&config, NoTls).unwrap();
        client
            .batch_execute(
                "DROP TABLE IF EXISTS cats, pathway_io_tables;
                 CREATE TABLE cats (key bigint PRIMARY KEY, genus text UNIQUE CHECK (genus <> 'panthera'))",
            )
            .unwrap();
        let directory = TempDir::new();
        let path = directory.path("refused.jsonl");
        let to = sink::Options::new().table("cats").refused_rows(BadRows::Quarantine(path.clone()));
        written(Pipeline::new(), &config, to, BadRows::Fail, move |cats: Subject<Cat, u64>| {
            cats.next(cat(1, "lynx"))?;
            cats.commit()?;
            cats.next(cat(2, "lynx"))?;
            second(&cats)?;
            cats.next(cat(3, "panthera"))?;
            Ok(())
        })
        .unwrap();
        let found = client.query("SELECT key, genus FROM cats ORDER BY key", &[]).unwrap();
        let found: Vec<(i64, &str)> = found.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert_eq!(found, [expected]);
        let text = crate::read(&path);
        let keys = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            serde_json::from_str::<Value>(line["raw"].as_str().unwrap()).unwrap()["key"].as_i64().unwrap()
        });
        assert_eq!(keys.collect::<Vec<_>>(), refused, "{text}");
    }
}

#[test]
fn many_refused_rows_of_one_commit_are_found_together() {
    let Some(config) = database() else { return };
    let mut client = Client::connect(&config, NoTls).unwrap();
    // A sequence counts the rows that were tried, because a rollback does not reset it.
    client
        .batch_execute(
            "CREATE SEQUENCE tried;
             CREATE TABLE cats (key bigint PRIMARY KEY, genus text CHECK (nextval('tried') > 0 AND genus <> 'panthera'))",
        )
        .unwrap();
    let directory = TempDir::new();
    let path = directory.path("refused.jsonl");
    let to = sink::Options::new().table("cats").refused_rows(BadRows::Quarantine(path.clone()));
    let push = |cats: Subject<Cat, u64>| {
        (0..256).try_for_each(|key| Ok(cats.next(cat(key, if key % 2 == 0 { "lynx" } else { "panthera" }))?))
    };
    let summary = written(Pipeline::new(), &config, to, BadRows::Fail, push).unwrap();
    assert_eq!((summary.refused_updates, count(&config, "cats")), (128, 128));
    let lines = crate::read(&path);
    assert!(lines.lines().count() == 128 && lines.lines().all(|line| line.contains("panthera")), "{lines}");
    let tried: i64 = client.query_one("SELECT last_value FROM tried", &[]).unwrap().get(0);
    assert!(tried < 256 * 10, "{tried} rows were tried");
}

#[test]
fn a_refused_change_makes_room_for_a_later_row() {
    let Some(config) = database() else { return };
    let mut client = Client::connect(&config, NoTls).unwrap();
    let table = "CREATE TABLE cats (key bigint PRIMARY KEY, genus text UNIQUE CHECK (genus <> 'panthera'))";
    client.batch_execute(table).unwrap();
    let to = sink::Options::new().table("cats").refused_rows(BadRows::Skip);
    let summary = written(Pipeline::new(), &config, to, BadRows::Fail, crate::refused_change).unwrap();
    assert_eq!((summary.refused_updates, count(&config, "cats")), (1, 1));
    let row = client.query_one("SELECT key, genus FROM cats", &[]).unwrap();
    assert_eq!((row.get(0), row.get(1)), (2_i64, "lynx"));
}
