//! Compares the ranks after every change with a computation from scratch.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use support::{Program, fresh_dir, records};

type Ranks = BTreeMap<String, i64>;

/// Computes the ranks with a plain loop, by the rule in the head of the program.
fn from_scratch(links: &BTreeSet<(String, String)>) -> Ranks {
    let pages = links.iter().flat_map(|(from, to)| [from, to]);
    let base: Ranks = pages.map(|page| (page.clone(), 150_000)).collect();
    let mut ranks = base.clone();
    loop {
        let mut next = base.clone();
        for (from, to) in links {
            let degree = links.iter().filter(|(other, _)| other == from).count() as i64;
            *next.get_mut(to).expect("a page") += ranks[from] * 85 / (100 * degree);
        }
        if next == ranks {
            return ranks;
        }
        ranks = next;
    }
}

/// Returns the links after each line of a file.
fn prefixes(file: &str) -> Vec<BTreeSet<(String, String)>> {
    let mut links = BTreeSet::new();
    let prefixes = file.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let page = |end: &str| line[end].as_str().expect("a page").to_owned();
        let link = (page("from"), page("to"));
        if line["gone"] == true {
            links.remove(&link);
        } else {
            links.insert(link);
        }
        links.clone()
    });
    prefixes.collect()
}

#[test]
fn every_prefix_has_the_ranks_of_its_links() {
    for threads in ["1", "2"] {
        let dir = fresh_dir(&format!("pagerank-{threads}"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_pagerank"));
        let end = Program::spawn(command.args(["--fast", "--threads", threads]).current_dir(&dir)).end().succeeded();

        let mut expected = prefixes(include_str!("../links.jsonl")).into_iter().map(|links| from_scratch(&links));
        let mut ranks = Ranks::new();
        let mut changes = end.stdout.split("\n\n");
        for expected in expected.by_ref() {
            for update in changes.next().expect("each of these links changes something").lines() {
                let fields: Vec<&str> = update.split(' ').collect();
                let millionths: i64 = fields[2].replace('.', "").parse().expect("a rank");
                let before = match fields[0] {
                    "+1" => ranks.insert(fields[1].to_owned(), millionths),
                    _ => ranks.remove(fields[1]).filter(|before| *before != millionths),
                };
                assert_eq!(before, None, "{update}");
            }
            assert_eq!(ranks, expected);
        }
        assert!(changes.next().is_some_and(|end| end.starts_with("Links: 9 rows in 9 commits")), "{end:#?}");
        // The ranks that follow from the last links.
        assert!(ranks["home"] > ranks["help"] && ranks["help"] > ranks["shop"], "{ranks:?}");
        assert!(records(&dir.join("ranks.csv")).len() > 9);
    }
}

#[test]
fn a_line_that_is_not_a_link_is_named() {
    let dir = fresh_dir("pagerank-bad");
    let input = dir.join("links.jsonl");
    for (line, says) in
        [(&b"{\"from\": \"a\"}"[..], "missing field `to`"), (b"{\"from\": \"\xff\"}", "invalid unicode")]
    {
        std::fs::write(&input, [b"{\"from\": \"a\", \"to\": \"b\"}\n", line].concat()).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_pagerank"));
        let end = Program::spawn(command.arg("--fast").arg(&input).current_dir(&dir)).end().failed();
        assert!(end.stderr.contains(&format!("links.jsonl, line 2: {says}")), "{end:#?}");
        assert_eq!(records(&dir.join("ranks.csv")), ["page,millionths,diff", "a,150000,1", "b,277500,1"]);
    }
}
