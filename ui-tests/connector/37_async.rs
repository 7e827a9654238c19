use pathway_io::{AsyncSubject, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Blocks;

#[connector]
impl Blocks {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }

    async fn on_stop(&mut self) {}
}

struct Returns;

#[connector]
impl Returns {
    async fn run(&mut self, cats: AsyncSubject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 }).await?;
        Ok(())
    }

    async fn on_stop(&mut self) -> RunResult {
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Blocks);
}
