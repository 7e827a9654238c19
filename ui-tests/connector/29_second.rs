use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>, cat: Cat) -> RunResult {
        cats.next(Cat { key: 1 })?;
        cat.next(Cat { key: 2 })?;
        Ok(())
    }
}

fn main() {
    let _ = Cats;
}
