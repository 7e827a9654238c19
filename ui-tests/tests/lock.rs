//! Locks and samples in a separate cargo package: the variable that makes cargo write locks, and rebuilds after a file has
//! changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Package {
    directory: PathBuf,
}

impl Package {
    fn new(name: &str) -> Self {
        let ui_tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("src")).unwrap();
        let runtime = ui_tests.with_file_name("pathway-io");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [dependencies]\npathway-io = {{ path = {runtime:?} }}\n[workspace]\n"
        );
        fs::write(directory.join("Cargo.toml"), manifest).unwrap();
        fs::copy(ui_tests.with_file_name("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
        Package { directory }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.join("src").join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.join("src").join(name)).unwrap()
    }

    /// Returns the output of the compiler, and whether it succeeded.
    fn check(&self, lock: Option<&str>) -> (bool, String) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--offline", "--quiet", "--color=never"]).current_dir(&self.directory);
        cargo
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages"))
            .env_remove("PATHWAY_LOCK");
        cargo.envs(lock.map(|value| ("PATHWAY_LOCK", value)));
        let output = cargo.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    #[track_caller]
    fn passes(&self, lock: Option<&str>) {
        let (passes, text) = self.check(lock);
        assert!(passes, "{text}");
    }

    #[track_caller]
    fn fails(&self, lock: Option<&str>, expected: &str) {
        let (passes, text) = self.check(lock);
        assert!(!passes && text.contains(expected), "{text}");
    }
}

const CAT: &str = "
type Weight = f32;
#[derive(pathway_io::Schema)]
#[schema(lock = \"cat.schema.json\")]
pub struct Cat {
    #[schema(primary_key)]
    pub key: i32,
    pub weight: Weight,
}
";

#[test]
fn a_lock_is_written_when_it_is_told_to_and_only_then() {
    let package = Package::new("locked");
    package.write("lib.rs", CAT);
    package.fails(None, "there is no lock `cat.schema.json` yet");
    package.fails(Some("yes"), "`PATHWAY_LOCK` is `yes`, and can only be `update`");
    assert!(!package.directory.join("src/cat.schema.json").exists());
    // The macro does not know the type of an alias. The error of the compiler names it.
    package.fails(Some("update"), "column `weight` has no type in `cat.schema.json`");
    package.fails(None, "help: to accept it, write `\"type\": \"f32\"` there");
    let lock = package.read("cat.schema.json").replace(r#""weight""#, r#""weight", "type": "f32""#);
    package.write("cat.schema.json", &lock);
    package.passes(None);
    package.passes(Some("update"));
    assert_eq!(package.read("cat.schema.json"), lock);

    // A compatible change does not write the file.
    package.write("lib.rs", &CAT.replace("i32", "i64").replace("}", "    pub name: Option<String>,\n}"));
    package.passes(None);
    assert_eq!(package.read("cat.schema.json"), lock);

    // An incompatible change does not write it either, also if the type has an alias.
    package.write("lib.rs", &CAT.replace("f32", "String"));
    package.fails(
        None,
        "column `weight` was `f32` in `cat.schema.json` and is now `String`: existing rows cannot be read",
    );
    assert_eq!(package.read("cat.schema.json"), lock);
    package.fails(Some("update"), "help: to accept it, write `\"type\": \"String\"` there");
    package.write("lib.rs", &CAT.replace("pub weight: Weight", "pub weight: String"));
    package.fails(None, "help: to accept it, set `PATHWAY_LOCK=update` and build");
    package.passes(Some("update"));
    assert_eq!(package.read("cat.schema.json"), lock.replace("f32", "String"));

    // If the struct has another mistake, the lock is not written.
    package.write("lib.rs", &CAT.replace("pub key", "#[schema(defalt)] pub key"));
    package.fails(Some("update"), "unknown column option `defalt`");
    assert_eq!(package.read("cat.schema.json"), lock.replace("f32", "String"));

    // A change of the file alone causes a rebuild.
    package.write("lib.rs", &CAT.replace("f32", "String"));
    package.passes(None);
    package.write("cat.schema.json", &lock);
    package.fails(None, "column `weight` was `f32`");
    let merged = format!("<<<<<<< HEAD\n{lock}");
    package.write("cat.schema.json", &merged);
    package.fails(None, "cannot read the lock `cat.schema.json`: line 1: expected a JSON value");
    assert_eq!(package.read("cat.schema.json"), merged);
    package.write("lib.rs", &CAT.replace("pub weight: Weight", "pub weight: f32"));
    package.passes(Some("update"));
    assert_eq!(package.read("cat.schema.json"), lock);

    // A file that has never been a lock is not overwritten, whatever its fields are.
    for other in ["{\"key\": 1}\n", "{\"lock\": 1, \"columns\": [], \"key\": 1}\n"] {
        package.write("cat.schema.json", other);
        for update in [None, Some("update")] {
            package.fails(update, "help: name another file, or remove this one");
            assert_eq!(package.read("cat.schema.json"), other);
        }
    }
    let names = fs::read_dir(package.directory.join("src")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["cat.schema.json", "lib.rs"]);
}

#[test]
fn a_sample_is_looked_at_when_it_changes() {
    let package = Package::new("sampled");
    let source = "#[derive(pathway_io::Schema)]\n#[schema(sample = \"cats.jsonl\")]\npub struct Cat { pub key: i64 }\n";
    package.write("lib.rs", source);
    package.fails(None, "cannot read the sample `cats.jsonl`: the file does not exist");
    package.write("cats.jsonl", "{\"key\": 1}\n");
    package.passes(None);
    package.write("cats.jsonl", "{\"key\": \"one\"}\n");
    package.fails(None, "`cats.jsonl` line 1: `key` is a string, the column wants `i64`");
    package.write("cats.jsonl", "{\"key\": 2}\n");
    package.passes(None);

    // The file is also looked up in the directory of the package.
    fs::rename(package.directory.join("src/cats.jsonl"), package.directory.join("cats.jsonl")).unwrap();
    package.passes(None);
    package.write("cats.jsonl", "{\"key\": null}\n");
    package.write("lib.rs", &format!("{source}\n"));
    package.fails(None, "`cats.jsonl` line 1: `key` is null");
}
