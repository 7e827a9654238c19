//! The error type of a public connector can be private, because `run` is.

mod source {
    use pathway_io::{Schema, Subject, connector};

    #[derive(Schema)]
    pub struct Cat {
        pub key: i64,
    }

    #[derive(Debug)]
    struct ReadError;

    impl std::fmt::Display for ReadError {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the file is gone")
        }
    }

    impl std::error::Error for ReadError {}

    pub struct Cats;

    #[connector]
    impl Cats {
        fn run(&mut self, cats: Subject<Cat>) -> Result<(), ReadError> {
            cats.next(Cat { key: 1 }).map_err(|_| ReadError)
        }
    }

    pub struct Both;

    #[connector]
    impl Both {
        fn run(&mut self, cats: Subject<Cat>, more: Subject<Cat>) -> Result<(), ReadError> {
            more.next(Cat { key: 1 }).map_err(|_| ReadError)?;
            cats.next(Cat { key: 1 }).map_err(|_| ReadError)
        }
    }
}

fn main() {
    assert_eq!(pathway_io::testing::collect(source::Cats).unwrap().len(), 1);
    let pipeline = pathway_io::Pipeline::new();
    let _tables = pipeline.read(source::Both);
    pipeline.run().unwrap();
}
