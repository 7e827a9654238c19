//! A subject of a collection, of a pointer or of a plain value is one error that says what a row is.

use std::collections::HashMap;

use pathway_io::{AsyncSubject, Pipeline, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

trait Animal {}

struct Batches;

#[connector]
impl Batches {
    fn run(&mut self, batches: Subject<Vec<Cat>>, boxes: Subject<Box<Cat>>) -> RunResult {
        batches.next(vec![Cat { key: 1 }])?;
        boxes.next(Box::new(Cat { key: 1 }))?;
        Ok(())
    }
}

struct Tasks;

#[connector]
impl Tasks {
    async fn run(&mut self, cats: AsyncSubject<Option<Cat>, u64>) -> RunResult {
        cats.next_at(1, Some(Cat { key: 1 })).await?;
        Ok(())
    }
}

struct Values;

#[connector]
impl Values {
    fn run(&mut self, lines: Subject<String>, files: Subject<Vec<u8>>, pairs: Subject<(i64, String)>) -> RunResult {
        lines.next("a line".to_owned())?;
        files.next(vec![1])?;
        pairs.next((1, "felis".to_owned()))?;
        Ok(())
    }
}

struct Maps;

#[connector]
impl Maps {
    fn run(&mut self, maps: Subject<HashMap<String, String>>, events: Subject<serde_json::Value>) -> RunResult {
        maps.next(HashMap::new())?;
        events.next(1.into())?;
        Ok(())
    }
}

struct Any;

#[connector]
impl Any {
    fn run(&mut self, animals: Subject<Box<dyn Animal>>) -> RunResult {
        animals.commit()?;
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    let (_batches, _boxes) = pipeline.read(Batches);
    let _cats = pipeline.read(Tasks);
    let (_lines, _files, _pairs) = pipeline.read(Values);
    let (_maps, _events) = pipeline.read(Maps);
    let _animals = pipeline.read(Any);
}
