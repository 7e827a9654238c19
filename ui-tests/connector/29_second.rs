use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>, cat: Cat) -> RunResult {
        cats.next(cat)?;
        Ok(())
    }
}

fn main() {
    let _ = Cats;
}
