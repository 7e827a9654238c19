//! Checks that the folders of `src` import in one direction, and that no files import each other in a circle.
//!
//! It reads the `crate::<folder>` paths of each file. `docs/architecture.md` shows the direction.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The folders that each folder may import from.
const ALLOWED: &[(&str, &[&str])] = &[
    ("run", &[]),
    ("rows", &["run"]),
    ("schema", &["rows"]),
    ("source", &["run", "rows"]),
    ("sink", &["run", "rows", "schema"]),
    ("sequencer", &["run", "rows", "source", "sink"]),
    ("pipeline", &["run", "rows", "source", "sink", "sequencer"]),
    ("persist", &["run", "rows", "source", "sink", "sequencer", "pipeline"]),
    ("dataflow", &["run", "rows", "source", "sink", "sequencer", "pipeline"]),
];

/// Returns the files below `src` with their text. Test files are omitted, because they may import everything.
fn files() -> BTreeMap<String, String> {
    fn collect(directory: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "tests" && name != "model" {
                collect(&path, &format!("{prefix}{name}/"), files);
            } else if name.ends_with(".rs") && name != "tests.rs" && name != "fuzz.rs" {
                files.insert(format!("{prefix}{name}"), code(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut files = BTreeMap::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    files
}

/// Returns the text without comments and without the tests at its end.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the paths of a file below `crate::`, with braces expanded: `crate::run::{error, lock::Lock}` has two paths.
fn paths(text: &str) -> BTreeSet<Vec<String>> {
    let mut paths = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let is_ours = !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        if is_ours {
            expand(&text[at + "crate::".len()..], &[], &mut paths);
        }
    }
    paths
}

/// Reads one path from the beginning of `text`, and returns the rest.
fn expand<'t>(text: &'t str, prefix: &[String], paths: &mut BTreeSet<Vec<String>>) -> &'t str {
    let mut path = prefix.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(mut group) = rest.strip_prefix('{') {
            loop {
                group = expand(group, &path, paths).trim_start().trim_start_matches(',').trim_start();
                match group.strip_prefix('}') {
                    Some(after) => return after,
                    None if group.is_empty() => return group,
                    None => {}
                }
            }
        }
        let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
        if end == 0 {
            // This is not a path. Skipping one byte guarantees progress.
            return rest.get(1..).unwrap_or("");
        }
        path.push(rest[..end].to_owned());
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(after) => rest = after,
            None => {
                paths.insert(path);
                return rest;
            }
        }
    }
}

#[test]
fn folders_import_in_one_direction() {
    let mut violations = Vec::new();
    for (file, text) in files() {
        let Some((folder, _)) = file.split_once('/') else { continue };
        let (_, allowed) = ALLOWED.iter().find(|(name, _)| *name == folder).unwrap_or_else(|| {
            panic!("`{folder}` is a new folder: add it to `ALLOWED` with the folders that it may import")
        });
        for path in paths(&text) {
            let target = path[0].as_str();
            let is_folder = ALLOWED.iter().any(|(name, _)| *name == target);
            if is_folder && target != folder && !allowed.contains(&target) {
                violations.push(format!("{file} imports crate::{}", path.join("::")));
            }
        }
    }
    assert!(violations.is_empty(), "against the direction of docs/architecture.md:\n{}", violations.join("\n"));
}

#[test]
fn no_core_folder_names_an_optional_feature_in_a_body() {
    let mut violations = Vec::new();
    for (file, text) in files() {
        let core =
            ["run/", "rows/", "source/", "sink/", "sequencer/", "pipeline/"].iter().any(|core| file.starts_with(core));
        if core {
            // The replacement for a build without the feature belongs to the same place.
            let places =
                text.matches("feature = \"dataflow\"").count() - text.matches("not(feature = \"dataflow\")").count();
            violations.extend((0..places).map(|_| file.clone()));
        }
    }
    assert!(
        violations.len() <= 4,
        "`cfg(feature = \"dataflow\")` in more than four places:\n{}",
        violations.join("\n")
    );
}

#[test]
fn paths_are_extracted_from_code() {
    let read = |text: &str| paths(text).into_iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(
        read("use crate::run::{error::{Error, Result}, lock::Lock};"),
        ["run::error::Error", "run::error::Result", "run::lock::Lock"]
    );
    assert_eq!(
        read("fn f(_: &crate::rows::batch::Pool<S>) { $crate::sink::csv(1) }"),
        ["rows::batch::Pool", "sink::csv"]
    );
    assert_eq!(read("my_crate::run::x"), Vec::<String>::new());
}
