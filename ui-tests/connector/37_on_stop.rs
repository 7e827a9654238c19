use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

struct Shared;
struct Async;
struct Twice;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }

    fn on_stop(&mut self, reason: String) {
        drop(reason);
    }
}

#[connector]
impl Shared {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }

    fn on_stop(&self) {}
}

#[connector]
impl Async {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }

    async fn on_stop(&mut self) {}
}

#[connector]
impl Twice {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }

    fn on_stop(&mut self) {}

    fn on_stop(&mut self) {}
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
