extern crate pathway_io as renamed;

mod facade {
    pub mod inner {
        pub use pathway_io::*;
    }
}

mod pathway_io_is_elsewhere {
    // shadows the extern crate in this module
    #[allow(unused_imports)]
    use std as pathway_io;

    use crate::facade::inner::{RunResult, Schema, Subject, connector};

    #[derive(Schema)]
    #[schema(crate = crate::facade::inner)]
    pub struct Cat {
        #[schema(primary_key)]
        pub key: i64,
        #[schema(default = "felis")]
        pub genus: String,
    }

    #[derive(Schema)]
    #[schema(crate = "renamed")]
    pub struct Dog {
        pub name: String,
    }

    pub struct Cats;

    #[connector(crate = super::facade::inner)]
    impl Cats {
        fn run(&mut self, cats: Subject<Cat>, dogs: Subject<Dog>) -> RunResult {
            cats.next(Cat { key: 1, genus: "lynx".into() })?;
            dogs.next(Dog { name: "rex".into() })?;
            Ok(())
        }
    }
}

fn main() {
    let pipeline = renamed::Pipeline::new();
    let _ = pipeline.read(pathway_io_is_elsewhere::Cats);
    pipeline.run().unwrap();
}
