use pathway_io::{Keyed, Schema, Subject, connector};

macro_rules! table {
    ($name:ident, $source:ident { $($field:ident: $t:ty = $default:expr),* }, $key:ident: $k:ty) => {
        #[derive(Schema)]
        struct $name {
            #[schema(primary_key)]
            $key: $k,
            $(#[schema(default = $default)] $field: $t,)*
        }

        struct $source;

        #[connector]
        impl $source {
            fn run(&mut self, rows: Subject<$name>) -> pathway_io::Result<()> {
                rows.next_json(r#"{"key": 1}"#)?;
                Ok(())
            }
        }
    };
}

table!(Cat, Cats { genus: String = "felis", weight: Option<f64> = 1.5, name: Option<String> = "tom" }, key: i64);

macro_rules! connector_for {
    ($t:ty, $name:expr, $($subject:ty),*) => {
        #[connector(name = $name, autocommit = "10ms")]
        impl $t {
            fn run(&mut self, first: Subject<Cat>, second: $($subject)*) -> pathway_io::Result<()> {
                first.next_json(r#"{"key": 2}"#)?;
                second.next_json(r#"{"key": 3}"#)?;
                Ok(())
            }
        }
    };
}

struct Two;
connector_for!(Two, "two", Subject<Cat>);

fn main() {
    let updates = pathway_io::testing::collect(Cats).unwrap();
    let cat = &updates[0].row;
    assert_eq!((cat.key(), cat.genus.as_str(), cat.weight, cat.name.as_deref()), (1, "felis", Some(1.5), Some("tom")));
    let pipeline = pathway_io::Pipeline::new();
    let (_first, _second) = pipeline.read(Two);
    pipeline.run().unwrap();
}
