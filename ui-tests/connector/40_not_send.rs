use std::rc::Rc;

use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Shared {
    count: Rc<i64>,
}

#[connector]
impl Shared {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: *self.count })?;
        Ok(())
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Shared { count: Rc::new(1) });
}
