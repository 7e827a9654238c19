use pathway_io::{ColumnType, Schema};

type Legs = u8;
type Weight = f64;

#[derive(ColumnType)]
struct Genus(u64);

#[derive(Schema)]
struct Place {
    home: [f64; 2],
    tags: Vec<i64>,
    nick: String,
}

macro_rules! cat {
    ($born:ty) => {
        #[derive(Schema)]
        #[schema(sample = "cats.jsonl")]
        struct Cat {
            key: i64,
            genus: Genus,
            legs: Legs,
            weight: Weight,
            born: $born,
            #[schema(flatten)]
            place: Place,
        }
    };
}

cat!(String);

fn main() {}
