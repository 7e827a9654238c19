use pathway_io::{Pipeline, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> ! {
        loop {
            cats.next(Cat { key: 1 }).unwrap();
        }
    }
}

fn main() {
    Pipeline::new().read(Cats);
}
