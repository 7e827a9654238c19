use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Dog;

type Dogs = Subject<Dog>;

struct Alone;

#[connector]
impl Alone {
    fn run(&mut self, dogs: Dogs) -> RunResult {
        dogs.next(Dog)?;
        Ok(())
    }
}

struct Second;

#[connector]
impl Second {
    fn run(&mut self, cats: Subject<Cat>, dogs: Dogs) -> RunResult {
        cats.next(Cat { key: 1 })?;
        dogs.next(Dog)?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _dogs = pipeline.read(Alone);
    let (_cats, _dogs) = pipeline.read(Second);
}
