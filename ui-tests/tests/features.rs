//! The errors of programs that need a feature they do not have, each in its own package.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What the compiler says to a program with these features.
fn check(name: &str, features: &str, program: &str) -> (bool, String) {
    let ui_tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(directory.join("src")).unwrap();
    let runtime = ui_tests.with_file_name("pathway-io");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\npathway-io = {{ path = {runtime:?}, features = [{features}] }}\n[workspace]\n"
    );
    fs::write(directory.join("Cargo.toml"), manifest).unwrap();
    fs::copy(ui_tests.with_file_name("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    fs::write(directory.join("src/main.rs"), program).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet", "--color=never"])
        .current_dir(&directory)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages"))
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

const PROGRAM: &str = "
use pathway_io::{AsyncSubject, RunResult, Schema, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector(stop = \"5s\")]
impl Cats {
    async fn run(&mut self, cats: AsyncSubject<Cat, u64>) -> RunResult {
        cats.next_at(1, Cat { key: 1 }).await?;
        Ok(())
    }

    async fn on_stop(&mut self) {}
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let cats = pipeline.read(Cats);
    pathway_io::csv::write(&cats, \"cats.csv\");
}
";

#[test]
fn an_async_run_without_the_feature_is_one_error_that_names_it() {
    for (name, features) in [("without", ""), ("without_runtime", "\"async\"")] {
        let (passes, text) = check(name, features, PROGRAM);
        assert!(!passes && text.matches("\nerror").count() + usize::from(text.starts_with("error")) == 2, "{text}");
        assert!(text.contains("error: an `async fn run` needs the feature `tokio` of pathway-io"), "{text}");
        assert!(text.contains("help: run `cargo add pathway-io --features tokio`"), "{text}");
        assert!(text.contains("could not compile `without"), "the second is cargo's: {text}");
    }
}
