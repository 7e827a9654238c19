//! If only one of two subjects has an offset type, the offsets in the body cause no further errors.

use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>, more: Subject<Cat, u64>) -> RunResult {
        let from = more.resume().unwrap_or(0);
        cats.next_at(from, Cat { key: 1 })?;
        cats.commit_at(from + 1)?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let (_cats, _more) = pipeline.read(Cats);
}
