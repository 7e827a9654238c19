//! The programs, run as they are.

use std::fs;
use std::process::Command;

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn genus_counts_follows_the_cats() {
    let dir = tempfile::tempdir().unwrap();
    let (cats, counts) = (dir.path().join("cats.jsonl"), dir.path().join("counts.csv"));
    let cat = |key: u32, genus: &str| format!("{{\"key\": {key}, \"genus\": \"{genus}\", \"epithet\": \"x\"}}\n");
    fs::write(&cats, [cat(1, "felis"), cat(2, "felis"), cat(2, "lynx")].concat()).unwrap();
    let said = output(Command::new(env!("CARGO_BIN_EXE_genus_counts")).arg(&cats).arg(&counts));
    let lines: Vec<&str> = said.lines().take(6).collect();
    assert_eq!(lines, ["+1 felis 1", "-1 felis 1", "+1 felis 2", "-1 felis 2", "+1 felis 1", "+1 lynx 1"]);
    assert_eq!(fs::read_to_string(&counts).unwrap().lines().count(), 7);
}

#[test]
fn reachability_is_the_same_on_any_number_of_workers() {
    let run =
        |workers| output(Command::new(env!("CARGO_BIN_EXE_reachability")).args(["--steps", "300", "-w", workers]));
    let one = run("1");
    assert!(one.lines().count() > 10, "{one}");
    assert_eq!(run("2"), one);
}

#[test]
fn a_cluster_counts_as_one_process_does() {
    let dir = tempfile::tempdir().unwrap();
    let counts = |name: &str| {
        let text = fs::read_to_string(dir.path().join(name)).unwrap();
        let mut counts: Vec<(String, i64)> = Vec::new();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let row = fields[..2].join(",");
            if fields[3] == "1" {
                counts.push((row, 1));
            } else {
                counts.retain(|(other, _)| *other != row);
            }
        }
        counts.sort();
        counts
    };
    let program = || Command::new(env!("CARGO_BIN_EXE_cluster"));
    output(program().arg(dir.path().join("one.csv")));

    let hosts = dir.path().join("hosts.txt");
    let listeners = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = listeners.map(|listener| format!("{}\n", listener.local_addr().unwrap()));
    fs::write(&hosts, addresses.concat()).unwrap();
    let start = |process: &str, name: &str| {
        let mut command = program();
        command.arg(dir.path().join(name)).args(["-n", "2", "-p", process, "-h"]).arg(&hosts);
        command.spawn().unwrap()
    };
    let mut processes = [start("0", "two.csv"), start("1", "none.csv")];
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(counts("one.csv").len(), 7);
    assert_eq!(counts("two.csv"), counts("one.csv"));
    assert!(!dir.path().join("none.csv").exists());
}
