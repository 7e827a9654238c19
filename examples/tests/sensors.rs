//! Runs `sensors` until its end by count, by time and by Ctrl-C.

mod support;

use std::collections::BTreeMap;

use support::{Program, fresh_dir, records};

#[test]
fn the_table_is_that_of_the_updates() {
    let output = fresh_dir("sensors").join("readings.csv");
    let end = Program::start("sensors", ["--readings", "30", &output.display().to_string()]).end().succeeded();
    assert!(end.stdout.contains("Sensors: 240 rows in "), "{end:#?}");
    let mut rows: BTreeMap<String, String> = BTreeMap::new();
    for record in &records(&output)[1..] {
        let (row, diff) = record.rsplit_once(',').expect("a diff");
        let sensor = row.split(',').next().expect("a sensor").to_owned();
        let before = if diff == "1" { rows.insert(sensor, row.to_owned()) } else { rows.remove(&sensor) };
        // Each row is retracted, unchanged, before the next row of its sensor is added.
        assert_eq!(before.as_deref(), (diff == "-1").then_some(row));
    }
    assert_eq!(rows.len(), 8);
    for (sensor, row) in rows {
        let fields: Vec<&str> = row.split(',').collect();
        assert_eq!(fields[2], "30");
        let drawn = end.stdout.lines().rfind(|line| line.starts_with(&sensor)).expect("a line for each sensor");
        let drawn: Vec<&str> = drawn.split_whitespace().collect();
        assert_eq!((drawn[1].parse::<f64>(), drawn[2]), (fields[1].parse::<f64>(), "30"));
    }
}

#[test]
fn ends_after_its_time() {
    let end = Program::start("sensors", ["--seconds", "1"]).end().succeeded();
    assert!(end.stdout.contains("Sensors: ") && !end.stdout.contains("stopped"), "{end:#?}");
}

/// `script` runs the program on a terminal.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_sees_the_table_and_the_progress() {
    let sensors = support::executable("sensors");
    let command = format!("TERM=xterm '{}' --readings 50", sensors.display());
    let end = Program::spawn(std::process::Command::new("script").args(["-qec", &command, "/dev/null"])).end();
    let seen = &end.succeeded().stdout;
    assert!(seen.contains("\x1b[9A"), "the table is drawn over itself: {seen}");
    assert!(seen.contains("rows/s") && seen.contains("→ Sensors"), "a line for the sink: {seen}");
    assert!(seen.contains("400 rows from 1 source in "), "a summary at the end: {seen}");
}

/// The window has room for the head and one row of the table, and not for all lines of the progress.
#[cfg(target_os = "linux")]
#[test]
fn a_small_window_shows_a_part_of_the_table() {
    let sensors = support::executable("sensors");
    let command = format!("stty rows 7 cols 20; TERM=xterm '{}' --readings 50", sensors.display());
    let end = Program::spawn(std::process::Command::new("script").args(["-qec", &command, "/dev/null"])).end();
    let seen = &end.succeeded().stdout;
    assert!(seen.contains("\r\x1b[2A") && !seen.contains("\x1b[9A"), "{seen}");
    assert!(seen.contains("attic") && !seen.contains("cellar"), "{seen}");
    assert!(!seen.contains('█') || !seen.contains(&"█".repeat(9)), "no line is wider than the window: {seen}");
}

#[cfg(unix)]
#[test]
fn ends_when_its_output_is_closed() {
    let sensors = support::executable("sensors");
    let pipe = format!("'{}' | head -2; echo \"status ${{PIPESTATUS[0]}}\"", sensors.display());
    let end = Program::spawn(std::process::Command::new("bash").args(["-c", &pipe])).end().succeeded();
    let lines: Vec<&str> = end.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{end:#?}");
    assert!(lines[1].starts_with("attic") && lines[2] == "status 0", "{end:#?}");
    assert_eq!(end.stderr, "");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_all_threads() {
    let output = fresh_dir("sensors-interrupt").join("readings.csv");
    let sensors = Program::start("sensors", [&output]);
    support::wait_for_text(&output, "kitchen");
    sensors.interrupt();
    let end = sensors.end().succeeded();
    assert!(end.stdout.contains("stopped by SIGINT"), "{end:#?}");
}

#[test]
fn a_limit_that_is_not_a_number_is_refused() {
    let end = Program::start("sensors", ["--seconds", "ten"]).end().failed();
    assert!(end.stderr.contains("usage:"), "{end:#?}");
}
