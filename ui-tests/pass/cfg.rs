use pathway_io::{Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
    #[cfg(any())]
    nothing: NoSuchType,
    #[cfg(all())]
    #[cfg_attr(all(), schema(default = 4))]
    legs: u8,
}

struct Cats {
    stopped: bool,
}

#[connector]
impl Cats {
    #[cfg(any())]
    fn run(&mut self, cats: NoSuchType) -> NoSuchResult {}

    #[cfg(all())]
    fn run(&mut self, cats: Subject<Cat>) -> pathway_io::RunResult {
        cats.next_json(r#"{"key": 1}"#)?;
        Ok(())
    }

    #[cfg(any())]
    fn on_stop(&mut self, more: NoSuchType) {}

    #[cfg(all())]
    fn on_stop(&mut self) {
        self.stopped = true;
    }
}

struct Stops;

#[connector]
impl Stops {
    fn run(&mut self, cats: Subject<Cat>) {
        drop(cats);
    }

    #[cfg(any())]
    fn on_stop(&mut self) {
        no_such_function();
    }
}

fn main() {
    let updates = pathway_io::testing::collect(Cats { stopped: false }).unwrap();
    assert_eq!(updates[0].row.legs, 4);
    pathway_io::testing::collect(Stops).unwrap();
}
