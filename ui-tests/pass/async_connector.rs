//! Async connectors in every form of a connector.

#![deny(missing_docs, unused_qualifications, clippy::pedantic, clippy::nursery)]

use std::marker::PhantomData;
use std::time::Duration;

use pathway_io::dataflow::Partition;
use pathway_io::{AsyncSubject, Closed, RunResult, Schema, connector};

/// Cats.
#[derive(Schema)]
pub struct Cat {
    /// Their number.
    pub key: i64,
}

/// An alias of a handle, and a name in scope that a pattern must not match.
pub type Cats = AsyncSubject<Cat, u64>;

#[allow(non_upper_case_globals, missing_docs)]
pub const drive: u8 = 1;
#[allow(non_upper_case_globals, missing_docs)]
pub const subjects: u8 = 1;

/// Returns nothing.
pub struct Plain;

#[connector]
impl Plain {
    async fn run(&mut self, cats: AsyncSubject<Cat>) {
        let _ = cats.next(Cat { key: 1 }).await;
    }

    const fn on_stop(&mut self) {}
}

const NAME: &str = "generic";
const PATIENCE: Duration = Duration::from_secs(5);

/// Is generic without a bound, and in partitions.
#[derive(Clone)]
pub struct Generic<T>(PhantomData<T>);

#[connector(name = NAME, stop = PATIENCE, autocommit = Duration::from_millis(100), backlog = 1 << 10)]
impl<T: Clone> Generic<T> {
    async fn run(&mut self, cats: Cats, mut others: Cats, part: Partition) -> Result<(), Closed> {
        others = others.clone();
        cats.next_at(part.index as u64, Cat { key: 1 }).await?;
        pathway_io::next!(others, Cat { key: 2 }).await
    }

    async fn on_stop(&mut self) {}
}

/// Has one `run` of two kinds.
pub struct Chosen;

#[connector(name = format!("chosen-{}", 1))]
impl Chosen {
    #[cfg(all())]
    async fn run(self: &mut Self, cats: AsyncSubject<Cat>) -> RunResult {
        cats.spawn(async {});
        cats.next(Cat { key: 1 }).await?;
        Ok(())
    }

    #[cfg(any())]
    fn run(&mut self, cats: pathway_io::Subject<Cat>) -> RunResult {
        Ok(cats.next(Cat { key: 1 })?)
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _: pathway_io::Table<Cat> = pipeline.read(Plain);
    let (_, _) = pipeline.read(Generic(PhantomData::<fn()>));
    let _ = pipeline.read(Chosen);
}
