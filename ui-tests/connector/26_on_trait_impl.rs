use pathway_io::{Connector, RunResult, Schema, Subject, Table, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Connector for Cats {
    type Subjects = Subject<Cat>;
    type Tables = Table<Cat>;

    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
