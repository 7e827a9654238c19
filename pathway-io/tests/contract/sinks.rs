//! Sinks: the order of their calls, `commits`, and output files with their paths.

use std::error::Error;
use std::sync::mpsc;

use pathway_io::{
    BadRows, Commit, ReadOptions, RowCheck, RunResult, Schema, Sink, Subject, TableSchema, TextRow, Update, csv,
    testing,
};

use crate::common::{Number, TempDir, by_commit, cat, commits, next, numbers, pipeline, read, run, source, within};

/// A call of a sink's method.
#[derive(Debug, PartialEq, Eq)]
enum Call {
    Open(&'static str),
    Write(Vec<u64>),
    Flush,
    Close,
}

struct Noting {
    calls: mpsc::Sender<Call>,
    /// The first commit waits here until the other commits are queued.
    gate: Option<mpsc::Receiver<()>>,
}

impl Sink<Number> for Noting {
    fn open(&mut self, schema: &'static TableSchema) -> RunResult {
        Ok(self.calls.send(Call::Open(schema.name))?)
    }

    fn write(&mut self, commit: &Commit<Number>) -> RunResult {
        if let Some(gate) = self.gate.take() {
            next(&gate);
        }
        assert!(!commit.is_empty() && commit.len() == commit.iter().count());
        assert!(commit.iter().all(|update| update.time == commit.time() && update.is_addition()));
        Ok(self.calls.send(Call::Write(commit.iter().map(|update| update.row.n).collect()))?)
    }

    fn flush(&mut self) -> RunResult {
        Ok(self.calls.send(Call::Flush)?)
    }

    fn close(&mut self) -> RunResult {
        Ok(self.calls.send(Call::Close)?)
    }
}

#[test]
fn a_sink_is_flushed_unless_another_commit_waits() {
    let (calls, called) = mpsc::channel();
    let (open, gate) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            for n in 0..3 {
                subject.next(Number { n })?;
                subject.commit()?;
            }
            Ok(())
        }),
        ReadOptions::new().autocommit(None),
    );
    // This sink was attached later, so it is served later. When it has the last commit, the other sink has that commit
    // queued.
    table.write_to(Noting { calls, gate: Some(gate) });
    let last = commits(&table);
    let running = pipeline.start().unwrap();
    for _ in 0..3 {
        next(&last);
    }
    open.send(()).unwrap();
    within(move || running.join()).unwrap();
    let called: Vec<Call> = called.try_iter().collect();
    assert_eq!(
        called,
        [
            Call::Open("Number"),
            Call::Write(vec![0]),
            Call::Write(vec![1]),
            Call::Write(vec![2]),
            Call::Flush,
            Call::Close
        ]
    );
}

/// Each method of this sink returns something that its default does not.
struct Checked;

impl Sink<Number> for Checked {
    fn open(&mut self, _schema: &'static TableSchema) -> RunResult {
        Err("open".into())
    }

    fn write(&mut self, _commit: &Commit<Number>) -> RunResult {
        Err("write".into())
    }

    fn flush(&mut self) -> RunResult {
        Err("flush".into())
    }

    fn is_transactional(&self) -> bool {
        true
    }

    fn recover(&mut self, _schema: &'static TableSchema) -> Result<Option<u64>, Box<dyn Error + Send + Sync>> {
        Ok(Some(7))
    }

    fn row_check(&self) -> Option<RowCheck<Number>> {
        Some(RowCheck::new(|_: &Number| Err("row")))
    }

    fn close(&mut self) -> RunResult {
        Err("close".into())
    }
}

#[test]
fn a_boxed_sink_is_the_sink_in_it() {
    fn each_method(mut sink: impl Sink<Number>) {
        let text = |result: RunResult| result.map_err(|error| error.to_string());
        assert_eq!(text(sink.open(Number::schema())), Err("open".into()));
        assert_eq!(text(sink.flush()), Err("flush".into()));
        assert!(sink.is_transactional());
        assert_eq!(sink.recover(Number::schema()).unwrap(), Some(7));
        assert!(sink.row_check().is_some());
        assert_eq!(text(sink.close()), Err("close".into()));
    }
    each_method(Checked);
    each_method(Box::new(Checked));
    each_method(Box::new(Checked) as Box<dyn Sink<Number>>);
    let (calls, called) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read(source(|subject: Subject<Number>| Ok(subject.next(Number { n: 1 })?)));
    let sinks: Vec<Box<dyn Sink<Number>>> =
        vec![Box::new(Noting { calls: calls.clone(), gate: None }), Box::new(Noting { calls, gate: None })];
    sinks.into_iter().for_each(|sink| table.write_to(sink));
    run(pipeline).unwrap();
    assert_eq!(called.iter().filter(|call| *call == Call::Write(vec![1])).count(), 2);
}

#[test]
fn a_sink_without_rows_is_opened_and_closed() {
    let (calls, called) = mpsc::channel();
    let pipeline = pipeline();
    pipeline.read(numbers(0..0)).write_to(Noting { calls, gate: None });
    run(pipeline).unwrap();
    let called: Vec<Call> = called.try_iter().collect();
    assert_eq!(called, [Call::Open("Number"), Call::Close]);
}

#[test]
fn all_sinks_are_open_before_any_source_runs() {
    struct Slow(mpsc::Sender<&'static str>);
    impl Sink<Number> for Slow {
        fn open(&mut self, _: &'static TableSchema) -> RunResult {
            for _ in 0..50 {
                std::thread::yield_now();
            }
            Ok(self.0.send("open")?)
        }

        fn write(&mut self, _: &Commit<Number>) -> RunResult {
            Ok(())
        }
    }
    let (calls, called) = mpsc::channel();
    let pipeline = pipeline();
    for _ in 0..2 {
        let entered = calls.clone();
        let table = pipeline.read(source(move |_: Subject<Number>| Ok(entered.send("run")?)));
        for _ in 0..2 {
            table.write_to(Slow(calls.clone()));
        }
    }
    run(pipeline).unwrap();
    assert_eq!(called.try_iter().collect::<Vec<_>>(), ["open", "open", "open", "open", "run", "run"]);
}

#[test]
fn commits_receives_each_commit_and_ends_with_the_run() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|subject: Subject<Number>| {
            for n in 0..5 {
                subject.next(Number { n })?;
                subject.commit()?;
            }
            Ok(())
        }),
        ReadOptions::new().autocommit(None),
    );
    let receivers = [table.commits(0), table.commits(1), table.clone().commits(10)];
    let running = pipeline.start().unwrap();
    let seen = within(move || {
        // The receivers advance in step, since the first one holds only one commit at a time.
        let [a, b, c] = receivers;
        a.iter().zip(b.iter()).zip(c.iter()).map(|((a, b), c)| [a, b, c]).collect::<Vec<_>>()
    });
    within(move || running.join()).unwrap();
    assert_eq!(seen.len(), 5);
    for (n, commits) in seen.iter().enumerate() {
        for commit in commits {
            let update = Update { row: Number { n: n as u64 }, time: commits[0].time(), diff: 1 };
            assert_eq!(commit.iter().collect::<Vec<_>>(), [update]);
        }
    }
}

#[test]
fn a_dropped_receiver_ends_only_its_own_subscription() {
    let pipeline = pipeline();
    let table = pipeline.read_with(numbers(0..1_000), ReadOptions::new().autocommit(None).backlog(3));
    let receiver = table.commits(1);
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    assert_eq!(receiver.recv_timeout(crate::common::DEADLINE).unwrap().len(), 3);
    drop(receiver);
    within(move || running.join()).unwrap();
    assert_eq!(by_commit(&seen).concat(), (0..1_000).collect::<Vec<_>>());
}

#[test]
fn a_full_receiver_blocks_the_source() {
    let (result, results) = mpsc::channel();
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(move |subject: Subject<Number>| {
            subject.next(Number { n: 0 })?;
            subject.commit()?;
            let mut pushed = 1;
            while subject.try_next(Number { n: pushed }).is_ok() {
                pushed += 1;
            }
            result.send(pushed)?;
            Ok(())
        }),
        ReadOptions::new().autocommit(None).backlog(4),
    );
    let receiver = table.commits(0);
    let running = pipeline.start().unwrap();
    assert_eq!(next(&results), 1 + 4);
    let rows = within(move || receiver.iter().map(|commit| commit.len()).sum::<usize>());
    within(move || running.join()).unwrap();
    assert_eq!(rows, 5);
}

#[test]
fn a_table_without_sinks_is_counted_and_dropped() {
    let pipeline = pipeline();
    pipeline.read_with(numbers(0..1_000), ReadOptions::new().backlog(3));
    let summary = run(pipeline).unwrap();
    assert_eq!(summary.rows(), 1_000);
}

// Contract 4.2
#[test]
fn each_sink_of_a_table_receives_all_updates() {
    let dir = TempDir::new();
    let pipeline = pipeline();
    let table = pipeline.read(numbers(0..100));
    csv::write(&table, dir.path("a.csv"));
    csv::write(&table, dir.path("b.csv"));
    let (seen, other) = (commits(&table), commits(&table));
    let (one, each) = mpsc::channel();
    table.subscribe(move |update| one.send(update.row.n).unwrap());
    run(pipeline).unwrap();
    let expected: Vec<u64> = (0..100).collect();
    assert_eq!(by_commit(&seen).concat(), expected);
    assert_eq!(by_commit(&other).concat(), expected);
    assert_eq!(each.try_iter().collect::<Vec<_>>(), expected);
    assert_eq!(read(dir.path("a.csv")), read(dir.path("b.csv")));
    assert_eq!(read(dir.path("a.csv")).lines().count(), 101);
}

#[test]
fn two_sinks_on_one_path_are_rejected_before_a_file_is_touched() {
    let dir = TempDir::new();
    std::fs::create_dir(dir.path("sub")).unwrap();
    let (a, b) = (dir.path("a.csv"), dir.path("b.csv"));
    std::fs::write(&a, "kept").unwrap();
    std::fs::write(&b, "kept").unwrap();
    let other_spellings = [a.clone(), dir.path("sub").join("..").join("a.csv"), dir.path(".").join("a.csv")];
    for other in other_spellings {
        let pipeline = pipeline();
        let first = pipeline.read(source(|_: Subject<Number>| panic!("the source must not run")));
        let second = pipeline.read(numbers(0..1));
        csv::write(&first, &b);
        csv::write(&first, &a);
        csv::write(&second, &other);
        let error = run(pipeline).unwrap_err();
        assert!(error.to_string().contains("a.csv"), "{error}");
        assert_eq!((read(&a), read(&b)), ("kept".into(), "kept".into()));
    }
    // Two paths to a file that does not exist yet are recognized as one.
    for bad_rows in [false, true] {
        let pipeline = pipeline();
        let (path, same) = (dir.path("new.csv"), dir.path("sub").join("..").join("new.csv"));
        let mut options = ReadOptions::new();
        if bad_rows {
            options = options.bad_rows(BadRows::Quarantine(same.clone()));
        }
        let table = pipeline.read_with(numbers(0..1), options);
        csv::write(&table, &path);
        if !bad_rows {
            csv::write(&table, &same);
        }
        assert!(run(pipeline).unwrap_err().to_string().contains("new.csv"));
        assert!(!path.exists());
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_counts_as_the_same_path() {
    let dir = TempDir::new();
    std::fs::write(dir.path("a.csv"), "kept").unwrap();
    std::os::unix::fs::symlink(dir.path("a.csv"), dir.path("link.csv")).unwrap();
    let pipeline = pipeline();
    let table = pipeline.read(numbers(0..1));
    csv::write(&table, dir.path("a.csv"));
    csv::write(&table, dir.path("link.csv"));
    run(pipeline).unwrap_err();
    assert_eq!(read(dir.path("a.csv")), "kept");
}

/// Names become part of thread names, in which the system allows no NUL.
#[test]
fn a_name_may_hold_any_character() {
    let pipeline = pipeline();
    let table = pipeline.read_with(numbers(0..1), ReadOptions::new().name("nul \0 and ż"));
    let seen = commits(&table);
    let summary = run(pipeline).unwrap();
    assert_eq!(summary.sources[0].name, "nul \0 and ż");
    assert_eq!(by_commit(&seen), [[0]]);

    let pipeline = crate::common::pipeline();
    csv::write(&pipeline.read(numbers(0..1)), "nul\0.csv");
    let error = run(pipeline).unwrap_err();
    assert!(error.to_string().starts_with("sink `nul\0.csv` failed"), "{error}");
}

#[test]
fn sinks_are_attached_before_the_start() {
    let pipeline = pipeline();
    let table = pipeline.read(numbers(0..1));
    run(pipeline).unwrap();
    let late = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| table.subscribe(|_| {})));
    assert!(late.is_err());
}

#[test]
fn the_built_in_schemas_accept_text_and_bytes() {
    let texts = testing::collect(source(|lines: Subject<TextRow>| {
        lines.next_str("a")?;
        let transaction = lines.transaction();
        transaction.next_str(String::from("b"))?;
        transaction.commit()?;
        Ok(())
    }));
    let texts: Vec<String> = texts.unwrap().into_iter().map(|update| update.row.data).collect();
    assert_eq!(texts, ["a", "b"]);
    let frames = testing::collect(source(|frames: Subject<pathway_io::BytesRow>| Ok(frames.next_bytes([0, 255])?)));
    assert_eq!(frames.unwrap()[0].row.data, [0, 255]);
}

#[derive(Schema)]
struct Labelled {
    data: String,
    #[schema(default = 7)]
    level: u8,
}

#[test]
fn next_str_fills_the_other_columns_with_their_defaults() {
    let rows = testing::collect(source(|lines: Subject<Labelled>| Ok(lines.next_str("a")?))).unwrap();
    assert_eq!((rows[0].row.data.as_str(), rows[0].row.level), ("a", 7));
}

#[test]
fn collect_returns_the_error_of_the_run() {
    let error = testing::collect(source(|subject: Subject<crate::common::Cat>| {
        subject.next(cat(1, "felis"))?;
        Err("no such device".into())
    }));
    assert_eq!(error.unwrap_err().to_string(), "connector `Source` failed: no such device");
}

/// A thread that reads commits until they end would otherwise keep the program from reporting the error.
#[test]
fn a_receiver_ends_if_its_pipeline_is_not_started() {
    for is_dropped in [false, true] {
        let pipeline = pipeline();
        let table = pipeline.read(numbers(0..3));
        let received = table.commits(1);
        if is_dropped {
            drop(pipeline);
        } else {
            let directory = TempDir::new();
            (0..2).for_each(|_| csv::write(&table, directory.path("twice.csv")));
            assert!(run(pipeline).unwrap_err().to_string().contains("two sinks write to one file"));
        }
        assert!(received.recv_timeout(crate::common::DEADLINE).unwrap_err().is_disconnected());
        let attached = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| table.subscribe(|_| {})));
        assert!(attached.unwrap_err().downcast_ref::<String>().unwrap().ends_with("has been started or dropped"));
    }
}
