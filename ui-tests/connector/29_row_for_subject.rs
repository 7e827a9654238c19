use pathway_io::{RunResult, Schema, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cat: Cat) -> RunResult {
        cat.next(Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let _ = Cats;
}
