//! Compares output with files that Pathway wrote for the same pushes. Times in the files are replaced by ranks.

use pathway_io::{RunResult, Schema, Subject, csv};

use crate::common::{TempDir, pipeline, ranked, read, run, source};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    epithet: String,
}

fn cat(key: i64, genus: &str, epithet: &str) -> Cat {
    Cat { key, genus: genus.into(), epithet: epithet.into() }
}

/// Returns the CSV that the library writes for the pushes of `run_source`.
fn written(run_source: impl FnMut(Subject<Cat>) -> RunResult + Send + 'static) -> Vec<Vec<String>> {
    let dir = TempDir::new();
    let path = dir.path("output.csv");
    let pipeline = pipeline();
    let cats = pipeline.read(source(run_source));
    csv::write(&cats, &path);
    run(pipeline).unwrap();
    ranked(&read(&path))
}

#[test]
fn cats_match_pathway() {
    let golden = ranked(include_str!("../goldens/cats_as_is.csv"));
    let ours = written(|cats| {
        cats.next_json(r#"{ "key": 1, "genus": "otocolobus", "epithet": "manul" }"#)?;
        cats.next_json(r#"{ "key": 2, "genus": "felis", "epithet": "catus" }"#)?;
        cats.commit()?;
        cats.next_json(r#"{ "key": 3, "genus": "lynx", "epithet": "lynx" }"#)?;
        Ok(())
    });
    assert_eq!(ours, golden);
}

#[test]
fn upserts_and_removals_match_pathway() {
    let golden = ranked(include_str!("../goldens/upsert_session.csv"));
    let ours = written(|cats| {
        cats.next(cat(1, "felis", "a"))?;
        cats.next(cat(1, "felis", "b"))?;
        cats.commit()?;
        cats.next(cat(1, "felis", "c"))?;
        cats.commit()?;
        cats.next(cat(2, "lynx", "x"))?;
        cats.commit()?;
        cats.remove(1)?;
        cats.commit()?;
        Ok(())
    });
    assert_eq!(ours, golden);
}
