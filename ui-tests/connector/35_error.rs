use pathway_io::{Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

struct Failure;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> Result<(), Failure> {
        drop(cats);
        Err(Failure)
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
