//! The errors of programs that lack a feature, each in its own package.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Returns the output of the compiler for a program with these features.
fn check(name: &str, features: &str, program: &str) -> (bool, String) {
    check_with(name, features, "", program)
}

/// Returns the output of the compiler for a program with further dependencies.
fn check_with(name: &str, features: &str, dependencies: &str, program: &str) -> (bool, String) {
    let ui_tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(directory.join("src")).unwrap();
    let runtime = ui_tests.with_file_name("pathway-io");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\npathway-io = {{ path = {runtime:?}, features = [{features}] }}\n{dependencies}\n[workspace]\n"
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

/// Returns a program that reads cats and then uses a feature.
fn cats(rest: &str) -> String {
    format!(
        "use pathway_io::{{RunResult, Schema, Subject, connector}};
#[derive(Schema)]
pub struct Cat {{
    pub key: i64,
}}
pub struct Cats;
#[connector]
impl Cats {{
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {{
        Ok(cats.next(Cat {{ key: 1 }})?)
    }}
}}
{rest}
"
    )
}

/// Returns a `main` with the table of the cats.
fn with_table(statement: &str) -> String {
    cats(&format!(
        "fn main() {{
    let pipeline = pathway_io::Pipeline::new();
    let cats = pipeline.read(Cats);
    {statement}
}}"
    ))
}

#[test]
fn a_missing_feature_is_one_error_that_names_it() {
    for (feature, program) in [
        ("sqlite", with_table("pathway_io::sqlite::write(&cats, \"cats.db\", \"cats\");")),
        ("sqlite", cats("use pathway_io::sqlite;\nfn main() { let _ = sqlite::write::<Cat>; }")),
        ("postgres", with_table("pathway_io::postgres::write(&cats, \"host=x\", \"cats\");")),
        ("parquet", with_table("pathway_io::parquet::write(&cats, \"cats\");")),
        ("dataflow", with_table("cats.compute(|cats| cats);")),
        ("dataflow", with_table("pathway_io::dataflow::compute((&cats,), |cats| cats);")),
        ("dataflow", with_table("let _ = (cats, pathway_io::testing::compute(Cats, |cats| cats));")),
        ("dataflow", cats("#[derive(Schema)]\n#[schema(dataflow)]\nstruct Dog { key: i64 }\nfn main() {}")),
        ("metrics", "fn main() { pathway_io::Pipeline::new().monitor().record(); }".to_owned()),
        ("arrow", with_table("let _ = (cats, Cat::schema().arrow_schema());")),
        ("arrow", with_table("cats.subscribe_commits(|commit| { commit.record_batch(); });")),
    ] {
        let (passes, text) = check("missing", "", &program);
        let errors = text.lines().filter(|line| line.starts_with("error") && !line.contains("could not compile"));
        let count = errors.count();
        let names_it = text.contains(&format!("the feature `{feature}`"))
            || text.contains(&format!("the item is gated behind the `{feature}` feature"));
        assert!(!passes && count == 1 && names_it, "{feature}\n{program}\n{text}");
    }
}

#[test]
fn a_type_of_another_crate_without_its_feature_is_one_error_that_names_features() {
    let types = "chrono = \"*\"\nuuid = \"*\"";
    for ty in ["chrono::NaiveDate", "Option<chrono::DateTime<chrono::Utc>>", "uuid::Uuid", "Vec<uuid::Uuid>"] {
        let program = format!("#[derive(pathway_io::Schema)]\npub struct Cat {{ pub day: {ty} }}\nfn main() {{}}");
        let (passes, text) = check_with("missing_types", "", types, &program);
        let errors = text.lines().filter(|line| line.starts_with("error") && !line.contains("could not compile"));
        let count = errors.count();
        assert!(!passes && count == 1 && text.contains("each with the feature of that name"), "{ty}\n{text}");
    }
}

#[test]
fn progress_without_the_feature_is_one_error_that_names_it() {
    let program = "fn main() {\n    let pipeline = pathway_io::Pipeline::new();\n    pipeline.progress(true);\n}\n";
    let (passes, text) = check("without_progress", "", program);
    assert!(!passes);
    assert_eq!(text.matches("error[E").count(), 1, "{text}");
    assert!(text.contains("`Pipeline::progress` needs the feature `progress` of `pathway-io`"), "{text}");
    assert!(text.contains("cargo add pathway-io --features progress"), "{text}");
    let (passes, text) = check("with_progress", "\"progress\"", program);
    assert!(passes, "{text}");
}
