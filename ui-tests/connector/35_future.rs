//! `run` returns its result, not a future of it.

use pathway_io::{Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;
struct Boxed;

#[connector]
impl Cats {
    fn run(&mut self, _cats: Subject<Cat>) -> impl Future<Output = ()> {
        async {}
    }
}

#[connector]
impl Boxed {
    fn run(&mut self, _cats: Subject<Cat>) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async {})
    }
}

fn main() {}
