use pathway_io::dataflow::Partition;
use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct NotClone;

#[connector]
impl NotClone {
    fn run(&mut self, cats: Subject<Cat>, part: Partition) -> RunResult {
        cats.next(Cat { key: part.index as i64 })?;
        Ok(())
    }
}

#[derive(Clone)]
struct First;

#[connector]
impl First {
    fn run(&mut self, part: Partition, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: part.index as i64 })?;
        Ok(())
    }
}

#[derive(Clone)]
struct Alone;

#[connector]
impl Alone {
    fn run(&mut self, _part: Partition) -> RunResult {
        Ok(())
    }
}

#[derive(Clone)]
struct Lent;

#[connector]
impl Lent {
    fn run(&mut self, _cats: Subject<Cat>, _part: &Partition) -> RunResult {
        Ok(())
    }
}

fn main() {
    let _ = (NotClone, First, Alone);
}
