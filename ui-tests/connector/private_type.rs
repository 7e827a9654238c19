//! A private row or offset of a public connector is an error at its name (E0446).

mod source {
    use pathway_io::{RunResult, Schema, Subject, connector};

    #[derive(Schema)]
    struct Cat {
        key: i64,
    }

    #[derive(Schema)]
    pub struct Dog {
        pub key: i64,
    }

    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Position(u64);

    pub struct Cats;

    #[connector]
    impl Cats {
        fn run(&mut self, cats: Subject<Cat>) -> RunResult {
            Ok(cats.next(Cat { key: 1 })?)
        }
    }

    pub struct Both;

    #[connector]
    impl Both {
        fn run(&mut self, dogs: Subject<Dog>, cats: Subject<Cat>) -> RunResult {
            dogs.next(Dog { key: 1 })?;
            Ok(cats.next(Cat { key: 1 })?)
        }
    }

    pub struct Resumed;

    #[connector]
    impl Resumed {
        fn run(&mut self, dogs: Subject<Dog, Position>) -> RunResult {
            Ok(dogs.next_at(Position(1), Dog { key: 1 })?)
        }
    }
}

fn main() {}
