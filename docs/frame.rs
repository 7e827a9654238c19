// The frame of the programs in dataflow.md: the tables that they read, and a check of what they print.

use std::marker::PhantomData;

pub use pathway_io::dataflow::{Workers, compute};
pub use pathway_io::{Connector, Pipeline, RunResult, Schema, Subject, Table};

#[derive(Schema, Clone)]
pub struct Cat {
    #[schema(primary_key)]
    pub key: i64,
    pub genus: String,
}

#[derive(Schema, Clone)]
pub struct Owner {
    #[schema(primary_key)]
    pub name: String,
    pub cat: i64,
}

#[derive(Schema, Clone)]
pub struct Order {
    #[schema(primary_key)]
    pub id: u32,
    pub city: String,
    pub cents: i64,
}

#[derive(Schema, Clone)]
pub struct Player {
    #[schema(primary_key)]
    pub name: String,
    pub team: String,
    pub points: u32,
}

#[derive(Schema, Clone)]
pub struct Click {
    #[schema(primary_key)]
    pub id: u32,
    /// In seconds.
    pub at: u64,
}

#[derive(Schema, Clone)]
pub struct Flight {
    #[schema(primary_key)]
    pub from: String,
    #[schema(primary_key)]
    pub to: String,
}

/// A source that does what a closure says.
struct Script<S, F>(F, PhantomData<fn() -> S>);

impl<S: Schema, F: FnMut(Subject<S>) -> RunResult + Send + 'static> Connector for Script<S, F> {
    type Subjects = Subject<S>;
    type Tables = Table<S>;

    fn run(&mut self, rows: Subject<S>) -> RunResult {
        (self.0)(rows)
    }
}

fn read<S: Schema>(pipeline: &Pipeline, run: impl FnMut(Subject<S>) -> RunResult + Send + 'static) -> Table<S> {
    pipeline.read(Script(run, PhantomData))
}

pub fn cats(pipeline: &Pipeline) -> Table<Cat> {
    read(pipeline, |cats| {
        cats.next(Cat { key: 1, genus: "felis".into() })?;
        cats.next(Cat { key: 2, genus: "felis".into() })?;
        cats.commit()?;
        cats.next(Cat { key: 2, genus: "lynx".into() })?;
        cats.commit()?;
        cats.remove(1)?;
        Ok(())
    })
}

struct Registry;

#[pathway_io::connector]
impl Registry {
    fn run(&mut self, cats: Subject<Cat>, owners: Subject<Owner>) -> RunResult {
        cats.next(Cat { key: 1, genus: "felis".into() })?;
        cats.next(Cat { key: 2, genus: "lynx".into() })?;
        owners.next(Owner { name: "Ann".into(), cat: 1 })?;
        cats.commit()?;
        owners.next(Owner { name: "Bob".into(), cat: 2 })?;
        Ok(())
    }
}

pub fn cats_and_owners(pipeline: &Pipeline) -> (Table<Cat>, Table<Owner>) {
    pipeline.read(Registry)
}

pub fn orders(pipeline: &Pipeline) -> Table<Order> {
    read(pipeline, |orders| {
        for (id, city, cents) in [(1, "Lyon", 500), (2, "Lyon", 500), (3, "Lyon", 300), (4, "Oslo", 120_000)] {
            orders.next(Order { id, city: city.into(), cents })?;
        }
        orders.commit()?;
        orders.remove(3)?;
        Ok(())
    })
}

pub fn players(pipeline: &Pipeline) -> Table<Player> {
    read(pipeline, |players| {
        for (name, points) in [("ann", 5), ("bob", 9), ("cid", 7)] {
            players.next(Player { name: name.into(), team: "red".into(), points })?;
        }
        players.commit()?;
        players.next(Player { name: "ann".into(), team: "red".into(), points: 8 })?;
        Ok(())
    })
}

pub fn clicks(pipeline: &Pipeline) -> Table<Click> {
    read(pipeline, |clicks| {
        clicks.next(Click { id: 1, at: 10 })?;
        clicks.next(Click { id: 2, at: 65 })?;
        clicks.commit()?;
        clicks.next(Click { id: 3, at: 50 })?;
        Ok(())
    })
}

pub fn flights(pipeline: &Pipeline) -> Table<Flight> {
    read(pipeline, |flights| {
        for (from, to) in [("Oslo", "Lyon"), ("Lyon", "Rome"), ("Rome", "Lyon"), ("Bern", "Kiel")] {
            flights.next(Flight { from: from.into(), to: to.into() })?;
        }
        flights.commit()?;
        flights.remove(("Oslo".into(), "Lyon".into()))?;
        Ok(())
    })
}

/// Runs the pipeline, and compares the updates of a table with a table of the page, row by row: the commit's number,
/// the diff, the columns.
pub fn check<S: Schema>(pipeline: Pipeline, table: &Table<S>, show: impl Fn(S) -> String, expected: &[&str]) {
    let commits = table.commits(16);
    pipeline.run_on(Workers::threads(2)).expect("the program runs");
    let mut updates = Vec::new();
    for (number, commit) in commits.iter().enumerate() {
        updates.extend(commit.iter().map(|it| format!("{} {:+} {}", number + 1, it.diff, show(it.row))));
    }
    assert_eq!(updates, expected);
}
