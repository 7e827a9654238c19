//! Compares the rules in `docs/guarantees.md` with the tests that cite them, as in `Contract 3.2`.

use std::collections::BTreeSet;
use std::path::Path;

/// Returns the rule numbers that follow `mark` in `text`. Each number ends at one of `end`.
fn numbers(text: &str, mark: &str, end: &[char]) -> BTreeSet<String> {
    let named = text.split(mark).skip(1).filter_map(|rest| rest.split(end).next());
    named
        .filter(|it| it.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())))
        .filter(|it| it.contains('.'))
        .map(str::to_owned)
        .collect()
}

fn citations(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).expect("the directory of the tests") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            citations(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a test");
            for line in text.lines().filter_map(|line| line.trim().strip_prefix("// Contract ")) {
                found.extend(line.split(", ").map(str::to_owned));
            }
        }
    }
}

#[test]
fn each_rule_of_the_contract_is_cited_and_each_citation_is_a_rule() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(package.join("../docs/guarantees.md")).expect("the contract");
    let rules = numbers(&page, "- **", &['*']);
    assert!(rules.len() > 40, "{rules:?}");
    let mut cited = BTreeSet::new();
    citations(&package.join("tests"), &mut cited);
    assert_eq!(rules, cited);
}
