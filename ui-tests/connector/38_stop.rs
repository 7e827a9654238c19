use pathway_io::{AsyncSubject, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Blocks;

#[connector(stop = "5s")]
impl Blocks {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

struct Never;

#[connector(stop = off)]
impl Never {
    async fn run(&mut self, cats: AsyncSubject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 }).await?;
        Ok(())
    }
}

const PATIENCE: u64 = 5;

struct Number;

#[connector(stop = PATIENCE)]
impl Number {
    async fn run(&mut self, cats: AsyncSubject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 }).await?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Blocks);
}
