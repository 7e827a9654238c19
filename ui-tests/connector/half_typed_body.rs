//! A body that rustc cannot parse causes the errors that it would cause without the macro, each once.

use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn next_id(&self) -> i64 {
        let next =
    }

    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        let id = self.next_id();
        let cat = Cat { key: id };
        let pushed =
    }
}

struct Dogs;

#[connector]
impl Dogs {
    fn run(&mut self, dogs: Subject<Cat>) -> RunResult {
        let name =
        let dog = Cat { key: 1 };
        dogs.next(dog)?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let cats: pathway_io::Table<Cat> = pipeline.read(Cats);
    let dogs: pathway_io::Table<Cat> = pipeline.read(Dogs);
    pathway_io::csv::write(&cats, "cats.csv");
    pathway_io::csv::write(&dogs, "dogs.csv");
}
