use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Blocks;

#[connector]
impl Blocks {
    async fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

struct Awaits;

#[connector]
impl Awaits {
    async fn run(&mut self, cats: Subject<Cat, u64>, mut others: pathway_io::Subject<Cat, u64>) -> RunResult {
        others = others.clone();
        cats.next(Cat { key: 1 }).await?;
        others.next(Cat { key: 1 }).await?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats: pathway_io::Table<Cat> = pipeline.read(Blocks);
    let (_cats, _others) = pipeline.read(Awaits);
}
