use pathway_io::{Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> i32 {
        drop(cats);
        5
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
