//! Checks the printed counts and retractions.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::Command;

use support::{Program, fresh_dir, records};

fn genus_counts() -> Command {
    Command::new(env!("CARGO_BIN_EXE_genus_counts"))
}

const CHANGES: [&str; 7] = [
    "+1 felis 1",
    "+1 lynx 1",
    "-1 felis 1\n+1 felis 2",
    "+1 puma 1",
    "-1 felis 2\n+1 felis 3",
    "-1 felis 3\n+1 felis 2\n+1 otocolobus 1",
    "-1 lynx 1\n+1 lynx 2",
];

#[test]
fn each_cat_retracts_the_previous_count() {
    let dir = fresh_dir("genus-counts");
    let end = Program::spawn(genus_counts().arg("--fast").current_dir(&dir)).end().succeeded();
    let changes: Vec<&str> = end.stdout.split("\n\n").collect();
    assert_eq!(changes[..7], CHANGES);
    assert!(changes[7].starts_with("Cats: 7 rows in 7 commits"), "{end:#?}");
    let expected = CHANGES.iter().flat_map(|change| change.lines()).map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        format!("{},{},{}", fields[1], fields[2], fields[0].trim_start_matches('+'))
    });
    let written = records(&dir.join("counts.csv"));
    assert_eq!(written[0], "genus,n,diff");
    assert_eq!(written[1..], expected.collect::<Vec<_>>());
}

#[test]
fn a_count_is_visible_while_the_source_continues() {
    let dir = fresh_dir("genus-counts-live");
    let mut program = Program::spawn(genus_counts().current_dir(&dir));
    program.wait_for(|line| line == "+1 felis 2");
    #[cfg(unix)]
    {
        program.interrupt();
        assert!(program.end().succeeded().stdout.contains("stopped by SIGINT"));
    }
}

#[test]
fn a_line_that_is_not_a_cat_is_named() {
    let dir = fresh_dir("genus-counts-bad");
    let input = dir.join("cats.jsonl");
    std::fs::write(&input, "{\"key\": 1, \"genus\": \"felis\", \"epithet\": \"catus\"}\n{\"key\": 2}\n")
        .expect("a file");
    let end = Program::spawn(genus_counts().arg("--fast").arg(&input).current_dir(&dir)).end().failed();
    assert!(end.stderr.contains("cats.jsonl") && end.stderr.contains("column `genus`"), "{end:#?}");
    assert_eq!(records(&dir.join("counts.csv")), ["genus,n,diff", "felis,1,1"]);
}
