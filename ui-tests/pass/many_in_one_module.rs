use pathway_io::{Keyed, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
}

#[derive(Schema)]
struct Dog {
    #[schema(primary_key)]
    key: i64,
    #[schema(primary_key)]
    name: String,
}

struct Cats;
struct Dogs;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

#[connector]
impl Dogs {
    fn run(&mut self, cats: Subject<Cat>, dogs: Subject<Dog>) -> RunResult {
        cats.next(Cat { key: 2 })?;
        dogs.next(Dog { key: 3, name: "rex".into() })?;
        dogs.remove((3, "rex".into()))?;
        Ok(())
    }
}

fn main() {
    #[derive(Schema)]
    struct Local {
        #[schema(primary_key)]
        key: i64,
        #[schema(default)]
        name: String,
    }

    struct Locals;

    #[connector]
    impl Locals {
        fn run(&mut self, locals: Subject<Local>) -> RunResult {
            locals.next_json(r#"{"key": 1}"#)?;
            Ok(())
        }
    }

    let updates = pathway_io::testing::collect(Locals).unwrap();
    assert_eq!((updates[0].row.key(), updates[0].row.name.as_str()), (1, ""));
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
    let (_cats, _dogs) = pipeline.read(Dogs);
    pipeline.run().unwrap();
}
