//! Rows for the engine: with shadowed names, from a macro, with raw identifiers, and with the user's own derives.

use pathway_io::dataflow::{Collection, ResultRow, Row, Workers, compute, timely};
use pathway_io::{Pipeline, Schema, Subject, Table, connector, csv};

mod shadowed {
    #![allow(dead_code, non_camel_case_types)]

    pub struct Clone;
    pub struct Ord;
    pub struct Option;
    pub struct Result;
    pub struct Hasher;
    pub mod std {}
    pub mod core {}
    pub mod serde {}

    #[derive(pathway_io::Schema)]
    #[schema(dataflow)]
    pub struct Row {
        pub r#type: i64,
        pub f: String,
        pub state: bool,
        pub other: f64,
    }
}

macro_rules! row {
    ($name:ident, $field:ident: $type:ty) => {
        #[derive(Schema)]
        #[schema(dataflow)]
        struct $name {
            $field: $type,
        }
    };
}
row!(Made, value: std::option::Option<f32>);

#[derive(Schema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
struct Own {
    n: i64,
}

fn make(rows: &Table<shadowed::Row>, made: &Table<Made>) -> Table<Own> {
    let own = rows.compute(|rows| rows.map(|row| Own { n: row.r#type }).distinct());
    compute((&own, made), |scope: timely::dataflow::Scope<'_, u64>, (own, made)| {
        assert_eq!(scope.peers(), 1);
        own.concat(made.map(|made| Own { n: made.value.map_or(0, |value| value as i64) }))
    })
}

fn doubled(rows: Collection<'_, Own>) -> Collection<'_, Own> {
    rows.map(|row| Own { n: 2 * row.n })
}

/// What `compute` promises to take.
fn computed<S, Out, F>(table: &Table<S>, computation: F) -> Table<Out>
where
    S: Row,
    Out: ResultRow,
    F: for<'s> Fn(Collection<'s, S>) -> Collection<'s, Out> + Send + Sync + 'static,
{
    table.compute(computation)
}

#[derive(Schema, Clone)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

#[derive(Schema, Clone)]
struct Owner {
    cat: i64,
    name: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct GenusCount {
    #[schema(primary_key)]
    genus: String,
    n: i64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Owned {
    genus: String,
    name: String,
}

struct Registry;

#[connector]
impl Registry {
    fn run(&mut self, _cats: Subject<Cat>, _owners: Subject<Owner>) {}
}

fn counted_and_joined() -> pathway_io::Result<()> {
    let pipeline = Pipeline::new();
    let (cats, owners) = pipeline.read(Registry);
    let counts = cats.compute(|cats| cats.map(|cat| cat.genus).count().map(|(genus, n)| GenusCount { genus, n: n as i64 }));
    let owned = compute((&cats, &owners), |_scope, (cats, owners)| {
        cats.map(|c| (c.key, c.genus)).join_map(owners.map(|o| (o.cat, o.name)), |_, genus, name| Owned {
            genus: genus.clone(),
            name: name.clone(),
        })
    });
    csv::write(&counts, "counts.csv");
    csv::write(&owned, "owned.csv");
    pipeline.run_on(Workers::from_args(std::env::args())?)?;
    Ok(())
}

fn main() {
    let _ = counted_and_joined;
    let _ = |own: &Table<Own>| computed(own, doubled);
    let _ = (make, Pipeline::new());
    let _ = |own: &Table<Own>| own.compute(doubled);
}
