//! Rows for the engine: with names that are shadowed, from a macro, with raw identifiers, and by derives of one's own.

use pathway_io::dataflow::{Collection, compute, timely};
use pathway_io::{Pipeline, Schema, Table};

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

fn main() {
    let _ = (make, Pipeline::new());
    let _ = |own: &Table<Own>| own.compute(doubled);
}
