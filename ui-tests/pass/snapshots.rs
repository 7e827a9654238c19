//! The inputs of the snapshots in `pathway-derive`.

use pathway_io::{ColumnType, RunResult, Schema, Subject, connector, next};
use serde::{Deserialize, Serialize};

/// Cats.
#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    #[schema(default = "felis", rename = "name", alias = "species")]
    genus: String,
    weight: Option<f64>,
}

#[derive(Schema)]
struct Place {
    x: i64,
}

#[derive(Schema)]
#[schema(append_only)]
struct Visit {
    #[schema(flatten, primary_key)]
    cat: Cat,
    #[schema(flatten)]
    place: Place,
    hour: u8,
}

#[derive(Serialize, Deserialize, Default)]
struct Fields {
    level: u8,
}

#[derive(Schema)]
struct Log {
    data: String,
    #[schema(json, default)]
    fields: Fields,
    #[schema(json)]
    place: Option<Fields>,
}

#[derive(ColumnType)]
#[column(rename_all = "lowercase")]
enum Mood {
    Calm,
    #[column(rename = "hiss!", alias = "angry")]
    Angry,
    #[column(other)]
    Unknown,
}

#[derive(ColumnType)]
struct Id(u64);

#[derive(Schema)]
struct Dog {
    id: Id,
    mood: Mood,
    #[schema(flatten)]
    home: Place,
    nick: Option<String>,
}

struct Cats;

#[connector(name = "cats", autocommit = "100ms", eager)]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>, dogs: Subject<Dog>) -> RunResult {
        let (mood, genus) = (Mood::Angry, "felis");
        next!(cats, Cat { key: "1".parse()?, genus, .. })?;
        next!(dogs, Dog { id: Id(1), mood, home: Place { x: 1 }, .. })?;
        next!(dogs, Dog { id: Id(2), mood: Mood::Calm, home: Place { x: 2 }, nick: "rex" })?;
        Ok(())
    }
    fn on_stop(&mut self) {}
}

struct Others;

#[connector]
impl Others {
    fn run(&mut self, logs: Subject<Log>, visits: Subject<Visit>) -> RunResult {
        logs.next_str("started")?;
        let cat = Cat { key: 1, genus: "felis".into(), weight: None };
        next!(visits, Visit { cat, place: Place { x: 1 }, hour: 7 })?;
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let pipeline = pathway_io::Pipeline::new();
    let _ = pipeline.read(Cats);
    let _ = pipeline.read(Others);
    pipeline.run()?;
    Ok(())
}
