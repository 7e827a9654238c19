use pathway_io::{Pipeline, RunResult, Schema, Subject, Table, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

struct Dog;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>, dogs: Subject<Dog>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        dogs.next(Dog)?;
        dogs.commit()?;
        dogs.wait_closed()?;
        Ok(())
    }
}

fn keep(table: &Table<Dog>) -> Table<Dog> {
    table.clone()
}

fn main() {
    let pipeline = Pipeline::new();
    let (_cats, dogs) = pipeline.read(Cats);
    keep(&dogs);
}
