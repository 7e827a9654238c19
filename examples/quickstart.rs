//! The first program of the README. It writes the changes of a table to `cats.csv`.

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

struct Cats; // a client, a path, a device: whatever your source needs

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1, genus: "felis".into() })?;
        cats.next_json(r#"{"key": 2, "genus": "puma"}"#)?;
        cats.commit()?;
        cats.next(Cat { key: 2, genus: "lynx".into() })?; // cat 2 changes
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let pipeline = Pipeline::new();
    let cats = pipeline.read(Cats);
    csv::write(&cats, "cats.csv");
    pipeline.run()?;
    Ok(())
}
