use pathway_io::{AsyncSubject, RunResult, connector};

struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    async fn run(&mut self, cats: AsyncSubject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 }).await?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
