use pathway_io::{RunResult, Schema, Subject, connector};

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<impl Schema>) -> RunResult {
        drop(cats);
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
