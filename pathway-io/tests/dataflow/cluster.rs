//! Several processes on this machine, each the test program itself, told by its environment what to be.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use pathway_io::dataflow::{Partition, Workers, compute};
use pathway_io::{BadRows, Pipeline, ReadOptions, RunResult, Schema, Subject, connector, csv};

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
        Err(error) => println!("failed: {error}"),
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
        let deadline = Instant::now() + DEADLINE;
        let mut said = Vec::new();
        for mut process in self.processes.drain(..) {
            while process.try_wait().unwrap().is_none() {
                if Instant::now() > deadline {
                    let _ = process.kill();
                    panic!("it hangs: {:?}", process.wait_with_output());
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            let output = process.wait_with_output().unwrap();
            said.push((String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap()));
        }
        said
    }

    /// The text of a file that process 0 writes, once it has this many lines.
    fn wait_for_lines(&self, name: &str, lines: usize) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let text = fs::read_to_string(self.dir.path(name)).unwrap_or_default();
            if text.lines().count() >= lines {
                return;
            }
            assert!(Instant::now() < deadline, "{text}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
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
    for stopped in [0, 1] {
        let mut cluster = Cluster::start(&["endless", "endless"], 2);
        cluster.wait_for_lines("0.csv", 100);
        let id = cluster.processes[stopped].id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        for (out, err) in cluster.end() {
            assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
        }
    }
}

/// Stands between a process and one before it, and lets what the latter says of its state come late.
#[cfg(unix)]
fn slow_words(to: String) -> String {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpStream};
    use std::thread;

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
            let delay = Duration::from_millis(if is_for_words { 700 } else { 0 });
            let lines = (later.try_clone().unwrap(), earlier.try_clone().unwrap());
            thread::spawn(move || forward(earlier, later, delay));
            thread::spawn(move || forward(lines.0, lines.1, Duration::ZERO));
        }
    });
    address
}

/// The dataflow of the other process is complete long before the word of the stop comes.
#[cfg(unix)]
#[test]
fn a_stop_is_heard_also_when_all_is_done() {
    let dir = TempDir::new();
    let direct = hosts(&dir, 2);
    let addresses = fs::read_to_string(&direct).unwrap();
    let (first, second) = addresses.trim_end().split_once('\n').unwrap();
    let slow = dir.path("slow.txt");
    fs::write(&slow, format!("{}\n{second}\n", slow_words(first.to_owned()))).unwrap();
    let hosts = move |process| if process == 0 { direct.clone() } else { slow.clone() };
    let mut cluster = Cluster::start_at(dir, &["endless", "endless"], 1, hosts);
    cluster.wait_for_lines("0.csv", 100);
    let id = cluster.processes[0].id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
    }
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
    let id = cluster.processes[0].id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    for (out, err) in cluster.end() {
        assert!(out.contains("ended: Some(Signal(15))"), "{out}{err}");
    }
}
