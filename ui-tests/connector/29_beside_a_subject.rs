use pathway_io::dataflow::Partition;
use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Limited;

#[connector]
impl Limited {
    fn run(&mut self, cats: Subject<Cat>, most: usize) -> RunResult {
        (0..most).try_for_each(|_| cats.next(Cat { key: 1 }))?;
        Ok(())
    }
}

#[derive(Clone)]
struct Parts;

#[connector]
impl Parts {
    fn run(&mut self, part: Partition, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: part.index as i64 })?;
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    csv::write(&pipeline.read(Limited), "limited.csv");
    csv::write(&pipeline.read(Parts), "parts.csv");
}
