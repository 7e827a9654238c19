//! Compares the quick start and the bad row in the README with the output of the programs.

mod support;

use std::path::Path;
use std::process::Command;

use support::{Program, executable, fresh_dir};

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("the README")
}

/// Returns the content of the first code block of a language.
fn block<'a>(text: &'a str, language: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("```{language}\n")).expect("a code block");
    rest.split_once("```").expect("its end").0
}

/// Replaces each time by its rank, since only the order of times is the same in every run.
fn without_times(csv: &str) -> Vec<String> {
    let mut times: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for line in csv.lines() {
        let mut fields: Vec<&str> = line.split(',').collect();
        let column = fields.len() - 2;
        let time = fields[column].to_owned();
        if !times.contains(&time) {
            times.push(time.clone());
        }
        let rank = times.iter().position(|it| *it == time).expect("it was added").to_string();
        fields[column] = &rank;
        lines.push(fields.join(","));
    }
    lines
}

#[test]
fn the_quick_start_writes_the_output_in_the_readme() {
    let readme = readme();
    // The README has the program without the comment at the head of the file.
    let (_, program) = include_str!("../quickstart.rs").split_once("\n\n").expect("a comment, then the program");
    assert_eq!(block(&readme, "rust"), program);
    let dir = fresh_dir("quickstart");
    Program::spawn(Command::new(executable("quickstart")).current_dir(&dir)).end().succeeded();
    let written = std::fs::read_to_string(dir.join("cats.csv")).expect("the output");
    assert_eq!(without_times(&written), without_times(block(&readme, "csv")));
}

#[test]
fn the_bad_row_is_reported_as_the_readme_shows() {
    let dir = fresh_dir("readme-bad-row");
    let rows = "{\"key\": 1, \"genus\": \"felis\", \"epithet\": \"catus\"}\n{\"key\": 2, \"genus\": 5, \"epithet\": \"lynx\"}\n";
    std::fs::write(dir.join("cats.jsonl"), rows).expect("the test's own file");
    let mut command = Command::new(executable("cats"));
    let end = Program::spawn(command.args(["--fast", "cats.jsonl", "out.csv"]).current_dir(&dir)).end().failed();
    assert!(readme().contains(&format!("```text\n{}```", end.stderr)), "{end:#?}");
}
