use pathway_io::{RunResult, Schema, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self) -> RunResult {
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
