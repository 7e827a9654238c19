use std::fmt::Debug;

use pathway_io::{Schema, Subject, connector};

#[derive(Schema, Clone, Debug, PartialEq)]
struct Cat {
    key: i64,
}

struct Replay<S, I, const N: usize>
where
    I: Iterator<Item = S>,
{
    rows: I,
    types: std::marker::PhantomData<fn() -> S>,
}

#[connector(name = "replay", backlog = N)]
impl<S: Schema + Debug, I: Iterator<Item = S> + Send + 'static, const N: usize> Replay<S, I, N>
where
    S: PartialEq,
{
    fn run(&mut self, rows: Subject<S>) -> Result<(), pathway_io::Closed> {
        self.rows.by_ref().take(N).try_for_each(|row| rows.next(row))
    }
}

struct Both<A, B>(Vec<A>, Vec<B>);

type Cats = Subject<Cat>;

#[connector]
impl<A: Schema + Send, B: Schema + Send> Both<A, B> {
    fn run(&mut self, first: Subject<A>, second: Subject<B>, _third: Cats) -> pathway_io::Result<()> {
        self.0.drain(..).try_for_each(|row| first.next(row))?;
        self.1.drain(..).try_for_each(|row| second.next(row))?;
        Ok(())
    }
}

struct Aliased;

#[connector]
impl Aliased {
    fn run(&mut self, cats: Cats) -> Result<(), impl std::error::Error + Send + Sync + 'static> {
        cats.next(Cat { key: 1 })
    }
}

struct Repeat<T>(T);

#[connector]
impl<T: Schema> Repeat<T> {
    fn run(&mut self, rows: Subject<T>, more: Subject<T>) -> Result<(), pathway_io::Closed>
    where
        T: Clone + Send,
    {
        rows.next(self.0.clone())?;
        more.next(self.0.clone())
    }
}

struct Borrowing;

#[connector]
impl Borrowing {
    fn run(&mut self, cats: Subject<Cat>) -> Result<(), &str> {
        drop(cats);
        Ok(())
    }
}

fn main() {
    let rows = (0..3).map(|key| Cat { key });
    let replay: Replay<_, _, 2> = Replay { rows, types: std::marker::PhantomData };
    assert_eq!(pathway_io::testing::collect(replay).unwrap().len(), 2);
    let pipeline = pathway_io::Pipeline::new();
    let _ = pipeline.read(Both(vec![Cat { key: 1 }], vec![Cat { key: 2 }]));
    let _ = pipeline.read(Repeat(Cat { key: 1 }));
    pipeline.run().unwrap();
    assert_eq!(pathway_io::testing::collect(Aliased).unwrap().len(), 1);
    assert_eq!(pathway_io::testing::collect(Borrowing).unwrap().len(), 0);
}
