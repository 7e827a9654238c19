//! An option cannot use the connector's value.

use std::time::Duration;

use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats {
    name: String,
    interval: Duration,
}

#[connector(name = self.name.clone(), autocommit = self.interval, backlog = usize::max(1, self.name.len()))]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        Ok(cats.next(Cat { key: 1 })?)
    }
}

const NAME: &str = "dogs";

struct Dogs;

#[connector(name = self::NAME, autocommit = "off")]
impl Dogs {
    fn run(&mut self, dogs: Subject<Cat>) -> RunResult {
        Ok(dogs.next(Cat { key: 1 })?)
    }
}

fn main() {}
