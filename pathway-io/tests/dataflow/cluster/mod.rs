//! Tests with several processes on this machine. Each process is the test program, which reads its role from the
//! environment.

#[cfg(unix)]
mod between;
mod ends;
mod parts;
mod programs;
#[cfg(unix)]
mod strangers;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use pathway_io::dataflow::Workers;
use pathway_io::{BadRows, ReadOptions, Subject, csv};

use self::programs::{BadParts, Slow, Word, counting, in_parts, panicking, slow};
use crate::common::{DEADLINE, TempDir, pipeline, source, wait_until};

const PROGRAM: &str = "PATHWAY_IO_TEST_PROGRAM";
const ARGUMENTS: &str = "PATHWAY_IO_TEST_ARGUMENTS";
const OUTPUT: &str = "PATHWAY_IO_TEST_OUTPUT";

/// Runs the program of a child process; in the parent it does nothing.
#[test]
fn child() {
    let Ok(program) = env::var(PROGRAM) else { return };
    let arguments = env::var(ARGUMENTS).unwrap();
    let workers = Workers::from_args(arguments.split(' ').map(str::to_owned)).unwrap();
    let output = env::var(OUTPUT).unwrap();
    let pipeline = pipeline();
    pipeline.handle_signals(true).grace_period(Duration::from_secs(2));
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
            pipeline.grace_period(Duration::from_secs(4));
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
        "between" => programs::between(&pipeline, Path::new(&output)),
        "written" => programs::one_table(&pipeline, Some(Path::new(&output))),
        "unwritten" => programs::one_table(&pipeline, None),
        "read" => programs::read(&pipeline, Path::new(&output), false),
        "read before" => programs::read(&pipeline, Path::new(&output), true),
        "computed" => programs::computed(&pipeline, Path::new(&output), false, false),
        "computed from before" => programs::computed(&pipeline, Path::new(&output), true, false),
        "computed before" => programs::computed(&pipeline, Path::new(&output), false, true),
        "misplaced" => programs::misplaced(&pipeline, Path::new(&output)),
        "other" => {
            let words = pipeline.read(source(|_: Subject<Word>| Ok(())));
            let _same = words.compute(|words| words);
        }
        program => panic!("unknown program `{program}`"),
    }
    match pipeline.run_on(workers) {
        Ok(summary) => println!("ended: {:?}", summary.stop),
        Err(error) => {
            println!("failed: {error}, {:?}", error.summary().and_then(|summary| summary.stop));
            error.others().iter().for_each(|error| println!("and: {error}"));
        }
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
            // The process has usually ended, and then the call fails.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Writes a hosts file with addresses that are free at the moment.
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

    /// Starts the processes. Each has its own hosts file.
    fn start_at(dir: TempDir, programs: &[&str], threads: usize, hosts: impl Fn(usize) -> PathBuf) -> Self {
        let count = programs.len();
        let processes = programs.iter().enumerate();
        let processes = processes.map(|(process, program)| {
            start_process(
                &dir,
                program,
                &format!("-w {threads} -n {count} -p {process} -h {}", hosts(process).display()),
                "k",
            )
        });
        let processes = processes.collect();
        Cluster { processes, dir }
    }

    /// Waits for all processes. Returns the standard output and the standard error of each.
    fn end(&mut self) -> Vec<(String, String)> {
        self.processes.drain(..).map(end).collect()
    }

    /// Sends a signal to a process.
    #[cfg(unix)]
    fn signal(&self, process: usize, signal: &str) {
        let id = self.processes[process].id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until a file has this many lines.
    fn wait_for_lines(&self, name: &str, lines: usize) {
        let text = || fs::read_to_string(self.dir.path(name)).unwrap_or_default();
        wait_until(&format!("`{name}` has fewer than {lines} lines"), || text().lines().count() >= lines);
    }
}

/// Starts a process. Without a key, it is empty.
fn start_process(dir: &TempDir, program: &str, arguments: &str, key: &str) -> Child {
    let process = arguments.split_once("-p ").unwrap().1.split(' ').next().unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "cluster::child", "--nocapture"])
        .env(PROGRAM, program)
        .env(ARGUMENTS, arguments)
        .env(OUTPUT, dir.path(&format!("{process}.csv")))
        .env_remove("PATHWAY_CLUSTER_KEY")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !key.is_empty() {
        command.env("PATHWAY_CLUSTER_KEY", key);
    }
    command.spawn().unwrap()
}

/// Waits for a process. Returns its standard output and its standard error.
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

/// Returns the rows of a CSV file, with each time replaced by its rank.
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
fn processes_and_threads_write_the_same_as_one_thread() {
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
        assert_eq!(ranked(&cluster.dir.path("0.projected.csv")), expected[0]);
        assert!(!cluster.dir.path("1.csv").exists());
    }
    // Threads without further processes must write the same.
    for threads in [2, 3] {
        let pipeline = pipeline();
        counting(&pipeline, &dir.path("threads.csv"), false);
        pipeline.run_on(Workers::threads(threads)).unwrap();
        assert_eq!([ranked(&dir.path("threads.csv")), ranked(&dir.path("threads.both.csv"))], expected);
    }
}
