use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

trait Read {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult;
}

#[connector]
impl Read for Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
