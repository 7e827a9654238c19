//! Checks that the folders of `src` import in one direction, that no files import each other in a circle, and that the
//! name of a type means one thing.
//!
//! It reads the paths of each file that begin with `crate::` or `super::`. `docs/architecture.md` shows the direction.

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
    ("dataflow", &["run", "rows", "schema", "source", "sink", "sequencer", "pipeline"]),
];

/// The names of the crate's root that macros write, for the user's crate. Other files name an item where it is defined.
const FOR_MACROS: &[&str] = &["__private0", "testing", "connector_tests", "sink_tests"];

/// Returns the files of this crate's `src` with their text.
fn files() -> BTreeMap<String, String> {
    files_of("src")
}

/// Returns the files below a folder with their text. Test files are omitted, because they may import everything.
fn files_of(folder: &str) -> BTreeMap<String, String> {
    fn collect(directory: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "tests" && name != "model" {
                collect(&path, &format!("{prefix}{name}/"), files);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                files.insert(format!("{prefix}{name}"), code(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut files = BTreeMap::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "", &mut files);
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

fn is_folder(name: &str) -> bool {
    ALLOWED.iter().any(|(folder, _)| *folder == name)
}

/// Returns the imports against the direction.
fn violations(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut violations = Vec::new();
    for (file, text) in files {
        let Some((folder, _)) = file.split_once('/') else { continue };
        let (_, allowed) = ALLOWED.iter().find(|(name, _)| *name == folder).unwrap_or_else(|| {
            panic!("`{folder}` is a new folder: add it to `ALLOWED` with the folders that it may import")
        });
        let may = |target: &str| target == folder || allowed.contains(&target) || FOR_MACROS.contains(&target);
        let mut imports = paths(text);
        // A `super` can be that of a module within the file, so that such a path need not name a folder.
        imports.extend(paths(&with_absolute_paths(file, text)).into_iter().filter(|path| is_folder(&path[0])));
        let wrong = imports.iter().filter(|path| !may(&path[0]));
        violations.extend(wrong.map(|path| format!("{file} imports crate::{}", path.join("::"))));
    }
    violations
}

#[test]
fn folders_import_in_one_direction() {
    let violations = violations(&files());
    assert!(violations.is_empty(), "against the direction of docs/architecture.md:\n{}", violations.join("\n"));
}

#[test]
fn imports_against_the_direction_are_found() {
    let found = |text: &str| violations(&[("source/lines.rs".to_owned(), text.to_owned())].into());
    assert_eq!(found("use crate::rows::table::Table; use super::life; use super::super::run::sync;"), [""; 0]);
    assert_eq!(found("fn f() -> crate::Sink {}"), ["source/lines.rs imports crate::Sink"]);
    assert_eq!(found("use super::super::sink::Sink;"), ["source/lines.rs imports crate::sink::Sink"]);
    assert_eq!(found("fn f() { $crate::sink::f() }"), ["source/lines.rs imports crate::sink::f"]);
}

/// Returns the file that defines the item of a path: the one with the longest matching path of modules.
fn file_of<'f>(path: &[String], files: &'f BTreeMap<String, String>) -> Option<&'f str> {
    (1..=path.len()).rev().find_map(|len| {
        let module = path[..len].join("/");
        let names = [format!("{module}.rs"), format!("{module}/mod.rs")];
        names.iter().find_map(|name| files.get_key_value(name)).map(|(file, _)| file.as_str())
    })
}

/// Returns the text with each `super::` as a path from the crate's root. A `mod.rs` is the module of its folder.
fn with_absolute_paths(file: &str, text: &str) -> String {
    let module = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let parent = module.rsplit_once('/').map_or("", |(parent, _)| parent);
    let grandparent = parent.rsplit_once('/').map_or("", |(grandparent, _)| grandparent);
    let root = |folder: &str| {
        let names = folder.split('/').filter(|name| !name.is_empty());
        format!("crate::{}", names.map(|name| format!("{name}::")).collect::<String>())
    };
    text.replace("super::super::", &root(grandparent)).replace("super::", &root(parent))
}

/// Returns the files that lie on circles of imports, each with the files of its circles that it imports.
fn circles(files: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    // `lib.rs` re-exports from all folders, and the generated code reaches them through it.
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = files
        .iter()
        .filter(|(file, _)| *file != "lib.rs")
        .map(|(file, text)| {
            let targets = paths(&with_absolute_paths(file, text));
            (file.as_str(), targets.iter().filter_map(|path| file_of(path, files)).filter(|to| to != file).collect())
        })
        .collect();
    // A file without an import, or without an importer, is on no circle. What remains after removing these is.
    loop {
        let imported: BTreeSet<&str> = imports.values().flatten().copied().collect();
        let before = imports.len();
        imports.retain(|file, targets| !targets.is_empty() && imported.contains(file));
        let left: BTreeSet<&str> = imports.keys().copied().collect();
        imports.values_mut().for_each(|targets| targets.retain(|target| left.contains(target)));
        if imports.len() == before && imports.values().all(|targets| !targets.is_empty()) {
            break;
        }
    }
    imports
        .into_iter()
        .map(|(file, targets)| (file.to_owned(), targets.into_iter().map(str::to_owned).collect()))
        .collect()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for folder in ["src", "../pathway-derive/src"] {
        let circles = circles(&files_of(folder));
        assert!(circles.is_empty(), "{folder}: files on circles, or between circles: {circles:#?}");
    }
}

#[test]
fn circles_are_found() {
    let files = |texts: &[(&str, &str)]| {
        texts.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let line = files(&[("a/mod.rs", "use crate::b::c::C;"), ("b/c.rs", "use super::d::D;"), ("b/d.rs", "struct D;")]);
    assert_eq!(circles(&line), BTreeMap::new());
    let circle =
        files(&[("a/mod.rs", "use crate::b::c::C;"), ("b/c.rs", "use super::d::D;"), ("b/d.rs", "use crate::a::A;")]);
    assert_eq!(circles(&circle).keys().collect::<Vec<_>>(), ["a/mod.rs", "b/c.rs", "b/d.rs"]);
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

/// The names of types that several modules define: public ones that are named with their module, parts of the two
/// databases, and those of which a feature or the system selects one.
const OF_MODULES: &[&str] =
    &["Options", "Layout", "Actual", "AsyncSubject", "Display", "IfSubject", "Signals", "TableOf", "Values"];

/// Returns the types that a file defines outside of its inner modules.
fn types(text: &str) -> Vec<&str> {
    let mut types = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with([' ', '}']) && !line.starts_with("impl")) {
        let mut words = line.split(|next: char| !next.is_alphanumeric() && next != '_');
        if words.any(|word| ["struct", "enum", "union", "trait", "type"].contains(&word)) {
            // A macro names a type by a variable, whose `$` is not part of a word.
            types.extend(words.next().filter(|name| !name.is_empty()));
        }
    }
    types
}

#[test]
fn the_name_of_a_type_means_one_thing() {
    for folder in ["src", "../pathway-derive/src"] {
        let files = files_of(folder);
        let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (file, text) in files.iter().filter(|(file, _)| !file.ends_with("fuzz.rs") && !file.ends_with("model.rs")) {
            types(text).into_iter().for_each(|name| places.entry(name).or_default().push(file));
        }
        places.retain(|name, files| files.len() > 1 && !OF_MODULES.contains(name));
        assert!(places.is_empty(), "{folder}: names of several types: {places:#?}");
    }
}

#[test]
fn types_are_extracted_from_code() {
    let text = "pub struct Cat<T>(T);\npub(in crate::rows) enum Mood {\n    type Row = Cat;\n}\ntype Cats = Vec<Cat>;\nuse a::B;";
    assert_eq!(types(text), ["Cat", "Mood", "Cats"]);
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
