//! Attributes that other crates have for an `async fn`. A connector needs none.

use pathway_io::{AsyncSubject, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Trait;

#[connector]
#[async_trait::async_trait]
impl Trait {
    async fn run(&mut self, cats: AsyncSubject<Cat>) -> RunResult {
        Ok(cats.next(Cat { key: 1 }).await?)
    }
}

struct Main;

#[connector]
impl Main {
    #[tokio::main]
    async fn run(&mut self, cats: AsyncSubject<Cat>) -> RunResult {
        Ok(cats.next(Cat { key: 1 }).await?)
    }

    #[tokio::main]
    async fn on_stop(&mut self) {}
}

struct Blocking;

#[connector]
impl Blocking {
    #[tokio::main]
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        Ok(cats.next(Cat { key: 1 })?)
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = (pipeline.read(Trait), pipeline.read(Main), pipeline.read(Blocking));
}
