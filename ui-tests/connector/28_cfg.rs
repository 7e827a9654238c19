use pathway_io::{Pipeline, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>, #[cfg(windows)] dogs: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

struct Dogs;

#[connector]
impl Dogs {
    fn run(&mut self, #[cfg(not(windows))] dogs: Subject<Cat>) -> RunResult {
        dogs.next(Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    pipeline.read(Cats);
    pipeline.read(Dogs);
}
