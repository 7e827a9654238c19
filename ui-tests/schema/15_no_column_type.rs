use std::time::Instant;

use pathway_io::{Pipeline, Schema, Subject, connector, csv};

struct Log;

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    seen: Instant,
    #[schema(default = Instant::now())]
    born: Instant,
}

#[connector]
impl Log {
    fn run(&mut self, cats: Subject<Cat>) -> pathway_io::Result<()> {
        cats.next(Cat { key: 1, seen: Instant::now(), born: Instant::now() })?;
        cats.next_json("{}")?;
        cats.remove(1)?;
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    let cats = pipeline.read(Log);
    csv::write(&cats, "cats.csv");
    cats.subscribe(|update| drop(update.row.seen));
    pipeline.run().unwrap();
    let _ = Cat::schema();
}
