//! Several processes on this machine, each the test program itself, told by its environment what to be.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
#[cfg(unix)]
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
#[cfg(unix)]
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use pathway_io::dataflow::{Partition, Workers, compute};
use pathway_io::{BadRows, Commit, Pipeline, ReadOptions, RunResult, Schema, Sink, Subject, connector, csv};

use crate::common::{DEADLINE, TempDir, pipeline, source};

#[derive(Schema)]
#[schema(dataflow)]
struct Word {
    #[schema(primary_key)]
    key: u32,
    word: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Count {
    #[schema(primary_key)]
    word: String,
    n: i64,
}

const PROGRAM: &str = "PATHWAY_IO_TEST_PROGRAM";
const ARGUMENTS: &str = "PATHWAY_IO_TEST_ARGUMENTS";
const OUTPUT: &str = "PATHWAY_IO_TEST_OUTPUT";

/// Words that come, change and go in twenty commits.
fn counting(pipeline: &Pipeline, output: &Path, endless: bool) {
    let words = pipeline.read(source(move |words: Subject<Word>| {
        for commit in 0..20u32 {
            for key in 0..50 {
                let word = format!("word {}", (key * 7 + commit * 3) % 11);
                words.next(Word { key: key + commit, word })?;
            }
            words.remove(commit * 2)?;
            words.commit()?;
        }
        if endless {
            words.wait()?;
        }
        Ok(())
    }));
    let counts =
        words.compute(|words| words.map(|word| word.word).count().map(|(word, n)| Count { word, n: n as i64 }));
    let both = compute((&words, &counts), |_, (words, counts)| {
        let words = words.map(|word| (word.word, word.key));
        let counts = counts.map(|count| (count.word, count.n));
        words.join_map(counts, |word, key, n| Count { word: format!("{word}/{key}"), n: *n })
    });
    csv::write(&counts, output);
    csv::write(&both, output.with_extension("both.csv"));
}

/// Words of which each worker reads a part; all parts push the same keys. But for the first they may be silent.
#[derive(Clone)]
struct Parts {
    silent: bool,
}

#[connector]
impl Parts {
    fn run(&mut self, words: Subject<Word>, lines: Subject<Line>, part: Partition) -> RunResult {
        if self.silent && part.index > 0 {
            words.wait()?;
        }
        for commit in 0..10 {
            for key in 0..40 {
                words.next(Word { key, word: format!("{} of {} in {commit}", part.index, part.count) })?;
                lines.next(Line { part: part.index as u64, weight: f64::NAN, text: format!("\"{key}\",{commit}") })?;
            }
            words.remove(40)?;
            words.commit()?;
        }
        words.next(Word { key: 40, word: "the last".into() })?;
        words.commit()?;
        if self.silent {
            words.wait()?;
        }
        Ok(())
    }
}

/// Each part has a row that does not fit.
#[derive(Clone)]
struct BadParts;

#[connector]
impl BadParts {
    fn run(&mut self, words: Subject<Word>, part: Partition) -> RunResult {
        words.next_json(format!(r#"{{"key": {}, "word": "good"}}"#, part.index))?;
        words.next_json(format!(r#"{{"key": "bad {}"}}"#, part.index))?;
        Ok(())
    }
}

#[derive(Schema)]
#[schema(append_only)]
struct Line {
    part: u64,
    weight: f64,
    text: String,
}

fn in_parts(pipeline: &Pipeline, output: &Path, silent: bool) {
    let (words, lines) = pipeline.read(Parts { silent });
    let counts =
        words.compute(|words| words.map(|word| word.word).count().map(|(word, n)| Count { word, n: n as i64 }));
    csv::write(&counts, output);
    csv::write(&words, output.with_extension("words.csv"));
    csv::write(&lines, output.with_extension("lines.csv"));
    csv::write_with(&words, output.with_file_name("each.csv"), csv::Options::new().per_worker());
}

/// A sink that takes its time at the end: that, or for ever.
struct Slow(Option<Duration>);

impl Sink<Count> for Slow {
    fn write(&mut self, _commit: &Commit<Count>) -> RunResult {
        Ok(())
    }

    fn close(&mut self) -> RunResult {
        match self.0 {
            Some(time) => thread::sleep(time),
            None => loop {
                thread::park();
            },
        }
        Ok(())
    }
}

/// Words whose source waits for the stop, if it is to, and then takes its time; so does the sink.
fn slow(pipeline: &Pipeline, output: &Path, source_takes: Option<Duration>, sink: Slow) {
    let words = pipeline.read(source(move |words: Subject<Word>| {
        words.next(Word { key: 1, word: "x".into() })?;
        words.commit()?;
        if let Some(time) = source_takes {
            let _ = words.wait();
            thread::sleep(time);
        }
        Ok(())
    }));
    let counts =
        words.compute(|words| words.map(|word| word.word).count().map(|(word, n)| Count { word, n: n as i64 }));
    csv::write(&counts, output);
    counts.write_to(sink);
}

/// One worker of all comes to see the word that it does not like.
fn panicking(pipeline: &Pipeline, output: &Path) {
    let words = pipeline.read(source(|words: Subject<Word>| {
        for key in 0..20 {
            words.next(Word { key, word: format!("word {key}") })?;
        }
        words.commit()?;
        Ok(words.wait()?)
    }));
    let counts = words.compute(|words| {
        words
            .map(|word| (word.word, ()))
            .reduce(|word, _, output| {
                assert!(word != "word 13", "no 13");
                output.push(((), 1));
            })
            .map(|(word, ())| Count { word, n: 1 })
    });
    csv::write(&counts, output);
}

/// What a process of a cluster does.
#[test]
fn child() {
    let Ok(program) = env::var(PROGRAM) else { return };
    let arguments = env::var(ARGUMENTS).unwrap();
    let workers = Workers::from_args(arguments.split(' ').map(str::to_owned)).unwrap();
    let output = env::var(OUTPUT).unwrap();
    let pipeline = pipeline();
    pipeline.handle_signals(true).grace(Duration::from_secs(2));
    match program.as_str() {
        "counting" => counting(&pipeline, Path::new(&output), false),
        "endless" => counting(&pipeline, Path::new(&output), true),
        "broken" => {
            counting(&pipeline, Path::new(&output), true);
            pipeline
                .read(source(|words: Subject<Word>| Ok(words.next(Word { key: 1, word: "x".into() })?)))
                .subscribe(|_| panic!("a sink breaks"));
        }
        "failing" => {
            let words = pipeline.read(source(|words: Subject<Word>| {
                words.next(Word { key: 1, word: "x".into() })?;
                Err("a source breaks".into())
            }));
            csv::write(&words.compute(|words| words), &output);
        }
        "panicking" => panicking(&pipeline, Path::new(&output)),
        "slow" => {
            pipeline.grace(Duration::from_secs(4));
            let takes = Duration::from_secs(3);
            slow(&pipeline, Path::new(&output), Some(takes), Slow(Some(takes)));
        }
        "stuck" => slow(&pipeline, Path::new(&output), None, Slow(None)),
        "bad" => {
            let path = Path::new(&output).with_file_name("bad.jsonl");
            let bad_rows = ReadOptions::new().bad_rows(BadRows::Quarantine(path));
            csv::write(&pipeline.read_with(BadParts, bad_rows), &output);
        }
        "parts" => in_parts(&pipeline, Path::new(&output), false),
        "silent" => in_parts(&pipeline, Path::new(&output), true),
        "other" => {
            let words = pipeline.read(source(|_: Subject<Word>| Ok(())));
            let _same = words.compute(|words| words);
        }
        program => panic!("there is no program `{program}`"),
    }
    match pipeline.run_on(workers) {
        Ok(summary) => println!("ended: {:?}", summary.stop),
        Err(error) => println!("failed: {error}, {:?}", error.summary().and_then(|summary| summary.stop)),
    }
}

/// A cluster whose processes are killed if the test fails.
struct Cluster {
    processes: Vec<Child>,
    dir: TempDir,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // Mostly it has ended.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A file with addresses that are free at the moment.
fn hosts(dir: &TempDir, processes: usize) -> PathBuf {
    let listeners: Vec<TcpListener> = (0..processes).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let lines: Vec<String> = listeners.iter().map(|listener| format!("{}\n", listener.local_addr().unwrap())).collect();
    let path = dir.path("hosts.txt");
    fs::write(&path, lines.concat()).unwrap();
    path
}

impl Cluster {
    fn start(programs: &[&str], threads: usize) -> Self {
        let dir = TempDir::new();
        let hosts = hosts(&dir, programs.len());
        Cluster::start_at(dir, programs, threads, |_| hosts.clone())
    }

    /// Each process has addresses of its own for the others.
    fn start_at(dir: TempDir, programs: &[&str], threads: usize, hosts: impl Fn(usize) -> PathBuf) -> Self {
        let start = |(process, program): (usize, &&str)| {
            let hosts = hosts(process);
            let arguments = format!("-w {threads} -n {} -p {process} -h {}", programs.len(), hosts.display());
            Command::new(env::current_exe().unwrap())
                .args(["--exact", "cluster::child", "--nocapture"])
                .env(PROGRAM, program)
                .env(ARGUMENTS, arguments)
                .env(OUTPUT, dir.path(&format!("{process}.csv")))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let processes = programs.iter().enumerate().map(start).collect();
        Cluster { processes, dir }
    }

    /// Waits for all processes; what each has said, on standard output and on standard error.
    fn end(&mut self) -> Vec<(String, String)> {
        self.processes.drain(..).map(end).collect()
    }

    /// Sends a process a signal.
    #[cfg(unix)]
    fn signal(&self, process: usize, signal: &str) {
        let id = self.processes[process].id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until a file has this many lines.
    fn wait_for_lines(&self, name: &str, lines: usize) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let text = fs::read_to_string(self.dir.path(name)).unwrap_or_default();
            if text.lines().count() >= lines {
                return;
            }
            assert!(Instant::now() < deadline, "{text}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Waits for a process; what it has said.
fn end(mut process: Child) -> (String, String) {
    let deadline = Instant::now() + DEADLINE;
    while process.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            let _ = process.kill();
            panic!("it hangs: {:?}", process.wait_with_output());
        }
        thread::sleep(Duration::from_millis(10));
    }
    let output = process.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// The rows of a CSV file with each time replaced by its rank.
fn ranked(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut times = Vec::new();
    let rows = text.lines().skip(1).map(|line| {
        let (row, diff) = line.rsplit_once(',').unwrap();
        let (row, time) = row.rsplit_once(',').unwrap();
        if times.last() != Some(&time) {
            times.push(time);
        }
        format!("{row},{},{diff}", times.len() - 1)
    });
    let rows = rows.collect();
    assert!(times.is_sorted(), "{times:?}");
    rows
}

fn expected(dir: &TempDir) -> [Vec<String>; 2] {
    let pipeline = pipeline();
    counting(&pipeline, &dir.path("expected.csv"), false);
    pipeline.run().unwrap();
    [ranked(&dir.path("expected.csv")), ranked(&dir.path("expected.both.csv"))]
}

#[test]
fn processes_and_threads_write_what_one_thread_writes() {
    let dir = TempDir::new();
    let expected = expected(&dir);
    assert!(expected[0].len() > 100 && expected[1].len() > 1000);
    for threads in [1, 2] {
        let mut cluster = Cluster::start(&["counting", "counting"], threads);
        let said = cluster.end();
        for (out, err) in &said {
            assert!(out.contains("ended: None"), "{out}{err}");
        }
        let written = [ranked(&cluster.dir.path("0.csv")), ranked(&cluster.dir.path("0.both.csv"))];
        assert_eq!(written, expected);
        assert!(!cluster.dir.path("1.csv").exists());
    }
    // And threads without processes.
    for threads in [2, 3] {
        let pipeline = pipeline();
        counting(&pipeline, &dir.path("threads.csv"), false);
        pipeline.run_on(Workers::threads(threads)).unwrap();
        assert_eq!([ranked(&dir.path("threads.csv")), ranked(&dir.path("threads.both.csv"))], expected);
    }
}

#[test]
fn a_process_that_is_killed_takes_the_others_down() {
    for killed in [0, 1, 2] {
        let mut cluster = Cluster::start(&["endless", "endless", "endless"], 1);
        cluster.wait_for_lines("0.csv", 100);
        cluster.processes[killed].kill().unwrap();
        let killed_at = Instant::now();
        let said = cluster.end();
        assert!(killed_at.elapsed() < Duration::from_secs(10));
        for (process, (out, err)) in said.iter().enumerate().filter(|(process, _)| *process != killed) {
            let gone = format!("failed: the pipeline failed: process {killed} at 127.0.0.1:");
            let failed = "failed: the pipeline failed: process ";
            assert!(out.contains(&gone) && out.contains(" is gone") || out.contains(failed), "{process}: {out}{err}");
            assert!(!err.contains("panicked"), "{err}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_stop_of_one_process_is_a_stop_of_all() {
    for (processes, threads, stopped) in [(2, 2, 0), (2, 2, 1), (3, 1, 0), (3, 1, 2)] {
        let mut cluster = Cluster::start(&["endless"; 3][..processes], threads);
        cluster.wait_for_lines("0.csv", 100);
        cluster.signal(stopped, "-TERM");
        for (out, err) in cluster.end() {
            assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
        }
    }
}

/// Stands between a process and one before it.
#[cfg(unix)]
struct Between {
    address: String,
    /// The lines for data, as they come.
    data: Receiver<TcpStream>,
}

#[cfg(unix)]
impl Between {
    /// Lets what the earlier process says of its state come that much later.
    fn of(to: String, delay: Duration) -> Self {
        use std::io::{Read, Write};
        use std::net::Shutdown;

        // "pathway0", then the numbers of the process, of the connection's kind, and three more.
        const GREETING: usize = 48;

        fn forward(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
            let mut bytes = [0; 4096];
            // Who is gone has closed both.
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                thread::sleep(delay);
                if to.write_all(&bytes[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        }

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, data) = channel();
        thread::spawn(move || {
            for mut later in listener.incoming().flatten() {
                let Ok(mut earlier) = TcpStream::connect(&to) else { continue };
                let mut greeting = [0; GREETING];
                if later.read_exact(&mut greeting).is_err() || earlier.write_all(&greeting).is_err() {
                    continue;
                }
                let is_for_words = greeting[23] == 1;
                if earlier.read_exact(&mut greeting).is_err() || later.write_all(&greeting).is_err() {
                    continue;
                }
                if !is_for_words {
                    // The test may be over.
                    let _ = sender.send(later.try_clone().unwrap());
                }
                let delay = if is_for_words { delay } else { Duration::ZERO };
                let lines = (later.try_clone().unwrap(), earlier.try_clone().unwrap());
                thread::spawn(move || forward(earlier, later, delay));
                thread::spawn(move || forward(lines.0, lines.1, Duration::ZERO));
            }
        });
        Between { address, data }
    }
}

/// Two processes, and what stands between them.
#[cfg(unix)]
fn pair(program: &str, delay: Duration) -> (Cluster, Between) {
    let dir = TempDir::new();
    let direct = hosts(&dir, 2);
    let addresses = fs::read_to_string(&direct).unwrap();
    let (first, second) = addresses.trim_end().split_once('\n').unwrap();
    let between = Between::of(first.to_owned(), delay);
    let indirect = dir.path("indirect.txt");
    fs::write(&indirect, format!("{}\n{second}\n", between.address)).unwrap();
    let hosts = move |process| if process == 0 { direct.clone() } else { indirect.clone() };
    (Cluster::start_at(dir, &[program; 2], 1, hosts), between)
}

/// The dataflow of the other process is complete long before the word of the stop comes.
#[cfg(unix)]
#[test]
fn a_stop_is_heard_also_when_all_is_done() {
    let (mut cluster, _between) = pair("endless", Duration::from_millis(700));
    cluster.wait_for_lines("0.csv", 100);
    cluster.signal(0, "-TERM");
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
    }
}

/// Process 1 has done all that it had to do, and waits for process 0, whose sink would never end.
#[cfg(unix)]
#[test]
fn a_process_that_is_done_can_stop_one_that_is_not() {
    let mut cluster = Cluster::start(&["stuck", "stuck"], 1);
    cluster.wait_for_lines("0.csv", 2);
    // It must hold whenever the stop comes. By now it mostly has said bye.
    thread::sleep(Duration::from_millis(500));
    cluster.signal(1, "-TERM");
    let said = cluster.end();
    assert!(said[0].0.contains("failed: sink `Count` "), "{said:?}");
    for (out, err) in &said {
        assert!(out.contains("failed: ") && out.contains(", Some(Signal(15))"), "{out}{err}");
    }
}

/// The source and then the sink of process 0 take less than the grace each, and together more.
#[cfg(unix)]
#[test]
fn the_sources_of_others_and_then_their_sinks_have_the_grace_each() {
    let mut cluster = Cluster::start(&["slow", "slow"], 1);
    cluster.wait_for_lines("0.csv", 2);
    cluster.signal(1, "-TERM");
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
    }
}

#[cfg(unix)]
#[test]
fn processes_that_cannot_reach_each_other_any_more_end() {
    let (mut cluster, between) = pair("endless", Duration::ZERO);
    cluster.wait_for_lines("0.csv", 100);
    // Words still go to and fro.
    for line in between.data.try_iter() {
        line.shutdown(std::net::Shutdown::Both).unwrap();
    }
    for (process, (out, err)) in cluster.end().into_iter().enumerate() {
        assert!(out.contains(&format!("process {} at 127.0.0.1:", 1 - process)), "{out}{err}");
        assert!(out.contains(" is gone") && !err.contains("panicked"), "{out}{err}");
    }
}

/// As a machine without power is: it closes nothing.
#[cfg(unix)]
#[test]
fn a_process_that_is_silent_is_gone() {
    let mut cluster = Cluster::start(&["endless", "endless"], 1);
    cluster.wait_for_lines("0.csv", 100);
    cluster.signal(1, "-STOP");
    let (out, err) = end(cluster.processes.remove(0));
    let gone = "failed: the pipeline failed: process 1 at 127.0.0.1:";
    assert!(out.contains(gone) && out.contains(" is gone: it was silent for 10s"), "{out}{err}");
}

#[test]
fn a_failure_of_one_process_is_one_of_all_and_what_is_on_its_way_is_written() {
    let mut cluster = Cluster::start(&["broken", "broken"], 1);
    let said = cluster.end();
    assert!(said[0].0.contains("failed: ") && said[0].0.contains("a sink breaks"), "{said:?}");
    assert!(said[1].0.contains("failed: the pipeline failed: process 0 at 127.0.0.1:"), "{said:?}");
    assert!(said[1].0.contains("a sink breaks"), "{said:?}");
    // However far the source came, the file is whole.
    ranked(&cluster.dir.path("0.csv"));
}

#[test]
fn a_source_that_fails_is_a_failure_of_all_and_its_rows_are_counted() {
    let mut cluster = Cluster::start(&["failing", "failing"], 1);
    let said = cluster.end();
    for (out, err) in &said {
        assert!(out.contains("failed: ") && out.contains("a source breaks, Some(Failure)"), "{out}{err}");
    }
    assert!(said[1].0.contains("process 0 at 127.0.0.1:"), "{said:?}");
    assert_eq!(ranked(&cluster.dir.path("0.csv")), ["1,x,0,1"]);
}

#[test]
fn a_panic_in_an_operator_of_any_process_names_the_computation_in_all() {
    let mut cluster = Cluster::start(&["panicking", "panicking", "panicking"], 1);
    for (out, err) in cluster.end() {
        assert!(out.contains("computation `Count` panicked in an operator: no 13, Some(Failure)"), "{out}{err}");
    }
}

#[test]
fn a_process_of_another_program_is_refused() {
    let mut cluster = Cluster::start(&["counting", "other"], 1);
    for (process, (out, err)) in cluster.end().into_iter().enumerate() {
        let other = 1 - process;
        let refused = format!("process {other} cannot take part: it runs another program");
        assert!(out.contains(&refused), "{out}{err}");
    }
}

/// What the updates of a file add up to; every prefix must be a table.
fn table(path: &Path) -> BTreeMap<String, i64> {
    let mut rows = BTreeMap::new();
    for line in ranked(path) {
        let (row, diff) = line.rsplit_once(',').unwrap();
        let (row, _) = row.rsplit_once(',').unwrap();
        let count = rows.entry(row.to_owned()).or_insert(0);
        *count += diff.parse::<i64>().unwrap();
        assert!(*count >= 0, "{row} went before it came");
    }
    rows.retain(|_, count| *count != 0);
    rows
}

/// The updates of a file, in no order.
fn updates(path: &Path) -> BTreeSet<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// What the workers have written, each into a file of its own.
fn in_parts_of(dir: &TempDir, workers: usize) -> BTreeSet<String> {
    assert!(!dir.path(&format!("each.{workers}.csv")).exists());
    (0..workers).flat_map(|worker| updates(&dir.path(&format!("each.{worker}.csv")))).collect()
}

/// In a commit the rows are in push order; with a key, in that of each key's first push.
fn in_push_order(dir: &TempDir, workers: usize) {
    let lines = ranked(&dir.path("0.lines.csv"));
    for part in 0..workers {
        let of_part = lines.iter().filter_map(|line| line.strip_prefix(&format!("{part},NaN,")));
        let texts: Vec<&str> = of_part.map(|line| &line[..line.rfind("\",").unwrap()]).collect();
        let pushed = (0..10).flat_map(|commit| (0..40).map(move |key| format!("\"\"\"{key}\"\",{commit}")));
        assert_eq!(texts, pushed.collect::<Vec<_>>());
    }
    let words = ranked(&dir.path("0.words.csv"));
    let times_and_keys = words.iter().map(|row| -> (u64, u32) {
        let mut fields = row.split(',');
        let key = fields.next().unwrap().parse().unwrap();
        (fields.nth(1).unwrap().parse().unwrap(), key)
    });
    // One part may have come to the last key while another is with the others.
    assert!(times_and_keys.filter(|(_, key)| *key < 40).is_sorted(), "{words:?}");
}

#[test]
fn processes_that_read_parts_have_one_table() {
    for (processes, threads) in [(1, 2), (2, 1), (2, 2)] {
        let mut cluster = Cluster::start(&["parts", "parts"][..processes], threads);
        for (out, err) in cluster.end() {
            assert!(out.contains("ended: None"), "{out}{err}");
        }
        let workers = processes * threads;
        let words = table(&cluster.dir.path("0.words.csv"));
        assert_eq!(words.len(), 41, "{words:?}");
        assert!(words.keys().all(|row| row.ends_with("in 9") || row == "40,the last"), "{words:?}");
        assert_eq!(in_parts_of(&cluster.dir, workers), updates(&cluster.dir.path("0.words.csv")));
        in_push_order(&cluster.dir, workers);
        let lines = table(&cluster.dir.path("0.lines.csv"));
        assert_eq!(lines.len(), 400 * workers);
        assert!(lines.keys().any(|row| row == "0,NaN,\"\"\"39\"\",9\""), "{lines:?}");
        let counts = table(&cluster.dir.path("0.csv"));
        let counted: i64 = counts.keys().map(|row| row.rsplit_once(',').unwrap().1.parse::<i64>().unwrap()).sum();
        assert_eq!(counted, 41, "{counts:?}");
    }
}

#[test]
fn processes_that_read_parts_have_a_quarantine_each() {
    let mut cluster = Cluster::start(&["bad", "bad"], 2);
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: None"), "{out}{err}");
    }
    for process in [0, 1] {
        let bad = fs::read_to_string(cluster.dir.path(&format!("bad.{process}.jsonl"))).unwrap();
        let mut rows: Vec<bool> = (0..4).map(|part| bad.contains(&format!("bad {part}"))).collect();
        rows.rotate_left(process * 2);
        assert_eq!(rows, [true, true, false, false], "{bad}");
    }
    assert_eq!(table(&cluster.dir.path("0.csv")).len(), 4);
}

#[cfg(unix)]
#[test]
fn a_silent_process_does_not_hold_up_the_others() {
    let mut cluster = Cluster::start(&["silent", "silent"], 2);
    cluster.wait_for_lines("0.words.csv", 1 + 40 + 9 * 80 + 1);
    cluster.wait_for_lines("0.lines.csv", 1 + 400);
    cluster.signal(0, "-TERM");
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
    }
}
