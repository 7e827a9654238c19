use pathway_io::dataflow::compute;
use pathway_io::{Schema, Table};

#[derive(Schema)]
struct Cat {
    key: i64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Dog {
    key: i64,
}

#[derive(Schema, Clone)]
struct Count {
    n: i64,
}

fn of_cats(cats: &Table<Cat>) -> Table<Dog> {
    cats.compute(|cats| cats.map(|cat| Dog { key: cat.key }))
}

fn of_dogs(dogs: &Table<Dog>) -> Table<Count> {
    dogs.compute(|dogs| dogs.map(|dog| Count { n: dog.key }))
}

fn of_both(cats: &Table<Cat>, dogs: &Table<Dog>) -> Table<Dog> {
    compute((cats, dogs), |_, (_, dogs)| dogs)
}

fn main() {
    let _ = (of_cats, of_dogs, of_both);
}
