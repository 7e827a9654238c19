use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

struct Dog;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>, dogs: Subject<Dog>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        drop(dogs);
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
