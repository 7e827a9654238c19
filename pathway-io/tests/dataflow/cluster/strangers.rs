//! Connections of foreign programs, while the processes of a cluster connect to each other.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{Cluster, end, hosts, ranked, start_process};
use crate::common::{DEADLINE, TempDir, wait_until};

/// The program of the tests, before all of its processes were started.
struct Partial {
    cluster: Cluster,
    processes: usize,
}

impl Partial {
    fn new(processes: usize) -> Self {
        let dir = TempDir::new();
        hosts(&dir, processes);
        Partial { cluster: Cluster { processes: Vec::new(), dir }, processes }
    }

    fn start(&mut self, program: &str, process: usize, key: &str) {
        let dir = &self.cluster.dir;
        let hosts = dir.path("hosts.txt");
        let arguments = format!("-w 1 -n {} -p {process} -h {}", self.processes, hosts.display());
        self.cluster.processes.push(start_process(dir, program, &arguments, key));
    }

    /// Connects to a process as soon as it listens.
    fn connect(&self, process: usize) -> TcpStream {
        let hosts = fs::read_to_string(self.cluster.dir.path("hosts.txt")).unwrap();
        let address = hosts.lines().nth(process).unwrap();
        let deadline = Instant::now() + DEADLINE;
        loop {
            match TcpStream::connect(address) {
                Ok(stream) => return stream,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops a process, which must end before any wait for a stranger would, and returns its output.
    fn stop(&mut self, process: usize) -> String {
        let began = Instant::now();
        self.cluster.signal(process, "-TERM");
        let (out, _) = end(self.cluster.processes.remove(process));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        out
    }
}

/// A greeting of process 1 of five, as far as a stranger can make one.
fn wrong_greeting(stream: &mut TcpStream) -> Vec<u8> {
    stream.write_all(&[&b"pathway1"[..], &[7; 32]].concat()).unwrap();
    stream.read_exact(&mut [0; 40]).unwrap();
    let numbers: Vec<u8> = [1_u64, 0, 5, 1, 0].into_iter().flat_map(u64::to_be_bytes).collect();
    stream.write_all(&[&numbers[..], &[0; 32]].concat()).unwrap();
    let mut answer = Vec::new();
    // Process 0 continues, so only the answer arrives.
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut bytes = [0; 73];
    stream.read_exact(&mut bytes).unwrap();
    answer.extend(bytes);
    answer
}

#[test]
fn strangers_neither_end_the_run_nor_keep_the_true_process_out() {
    for key in ["", "secret"] {
        let mut partial = Partial::new(2);
        partial.start("counting", 0, key);
        // More connections than can greet at once.
        let silent: Vec<TcpStream> = (0..100).map(|_| partial.connect(0)).collect();
        partial.connect(0).write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut known = partial.connect(0);
        let answer = wrong_greeting(&mut known);
        assert!(answer[0] != 0 && answer[1..].iter().all(|byte| *byte == 0), "it tells who it is: {answer:?}");
        partial.start("counting", 1, key);
        for (out, err) in partial.cluster.end() {
            assert!(out.contains("ended: None"), "{out}{err}");
        }
        assert!(!ranked(&partial.cluster.dir.path("0.csv")).is_empty());
        drop(silent);
    }
}

#[test]
fn a_stop_ends_the_wait_for_the_others_at_once() {
    let mut partial = Partial::new(2);
    partial.start("counting", 0, "");
    let _silent = partial.connect(0);
    let out = partial.stop(0);
    assert!(out.contains("ended: Some(Signal(15))"), "{out}");

    // A stranger has the port of process 0, and says nothing.
    let partial_hosts = fs::read_to_string(partial.cluster.dir.path("hosts.txt")).unwrap();
    let listener = TcpListener::bind(partial_hosts.lines().next().unwrap()).unwrap();
    partial.start("counting", 1, "");
    let _connected = listener.accept().unwrap();
    let out = partial.stop(0);
    assert!(out.contains("ended: Some(Signal(15))"), "{out}");
}

#[test]
fn a_process_with_another_key_or_program_is_told_so_and_the_others_wait_on() {
    for (program, keys, says) in [
        ("counting", ["one", "two"], "has another cluster key\nhelp: set `PATHWAY_CLUSTER_KEY`"),
        ("counting", ["one", ""], "has another cluster key"),
        ("counting", ["", "two"], "has another cluster key"),
        ("other", ["", ""], "does not accept this process: it runs another program"),
    ] {
        let mut partial = Partial::new(2);
        partial.start("counting", 0, keys[0]);
        drop(partial.connect(0));
        partial.start(program, 1, keys[1]);
        let (out, err) = end(partial.cluster.processes.pop().unwrap());
        assert!(
            out.contains("failed: the pipeline failed: process 0 at 127.0.0.1:") && out.contains(says),
            "{out}{err}"
        );
        let out = partial.stop(0);
        assert!(out.contains("ended: Some(Signal(15))"), "{out}");
    }
}

#[test]
fn a_process_whose_place_is_taken_fails() {
    let mut partial = Partial::new(3);
    partial.start("counting", 0, "");
    partial.start("counting", 2, "");
    partial.start("counting", 2, "");
    let mut ended = None;
    wait_until("both wait", || {
        let has_ended = |process: &mut std::process::Child| process.try_wait().unwrap().is_some();
        ended = partial.cluster.processes.iter_mut().position(has_ended);
        ended.is_some()
    });
    let (out, err) = end(partial.cluster.processes.remove(ended.unwrap()));
    assert!(out.contains("already has a process 2: either a second one was started with `-p 2`"), "{out}{err}");
}
