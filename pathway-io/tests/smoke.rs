//! The thin line through everything: one struct, one source, rows in a CSV.

use pathway_io::{Connector, Pipeline, RunResult, Schema, Subject, Table, csv, testing};

#[derive(Schema, Debug, PartialEq)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    #[schema(default)]
    weight: Option<f64>,
}

struct Cats;

impl Connector for Cats {
    type Subjects = Subject<Cat>;
    type Tables = Table<Cat>;

    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1, genus: "felis".into(), weight: None })?;
        cats.next_json(r#" {"key": 2, "genus": "lynx, \"x\"", "weight": 4} "#)?;
        cats.commit()?;
        cats.remove(1)?;
        cats.next(Cat { key: 2, genus: "".into(), weight: None })?;
        Ok(())
    }
}

#[test]
fn rows_reach_the_file() {
    let path = std::env::temp_dir().join(format!("pathway-io-smoke-{}.csv", std::process::id()));
    let pipeline = Pipeline::new();
    let cats = pipeline.read(Cats);
    csv::write(&cats, &path);
    let summary = pipeline.run().unwrap();
    println!("{summary}");
    let text = std::fs::read_to_string(&path).unwrap();
    println!("{text}");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(text.lines().count(), 6);
    assert_eq!(testing::collect(Cats).unwrap().len(), 5);
}
