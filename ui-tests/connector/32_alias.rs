use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

type More = Subject<Cat, String>;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat, u64>, more: More) -> RunResult {
        drop((cats, more));
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
