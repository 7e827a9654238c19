use pathway_io::{RunResult, Schema, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    async fn run(&mut self, cats: AsyncSubject<Cat, u64>, others: AsyncSubject<Cat, u64>) -> RunResult {
        cats.next(Cat { key: 1 }).await?;
        others.next(Cat { key: 1 }).await?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
