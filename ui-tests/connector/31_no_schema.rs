use pathway_io::{RunResult, Schema, Subject, connector, next};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

struct Dog {
    key: i64,
}

#[connector]
impl Cats {
    fn run(&mut self, mut dogs: Subject<Dog>) -> RunResult {
        std::thread::spawn({
            let dogs = dogs.clone();
            move || dogs.next(Dog { key: 1 })
        });
        next!(dogs, Dog { key: 2 })?;
        dogs.next_json("{}")?;
        dogs.remove(2)?;
        let unit = dogs.transaction();
        unit.next(Dog { key: 3 })?;
        unit.commit()?;
        dogs = dogs.clone();
        Ok(dogs.next(Dog { key: 4 })?)
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
