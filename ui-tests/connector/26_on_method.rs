use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

impl Cats {
    #[connector(name = "cats")]
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let _ = Cats;
}
