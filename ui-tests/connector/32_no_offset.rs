//! An offset type without serde's traits is one error for all subjects and for all uses.

use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Position(u64);

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat, Position>) -> RunResult {
        let _from = cats.resume().map_or(0, |position| position.0);
        cats.next_at(Position(1), Cat { key: 1 })?;
        let both = cats.transaction();
        both.next(Cat { key: 2 })?;
        both.commit_at(Position(2))?;
        Ok(())
    }
}

struct TwoTables;

#[connector]
impl TwoTables {
    fn run(&mut self, cats: Subject<Cat, Position>, others: Subject<Cat, Position>) -> RunResult {
        cats.next_at(Position(1), Cat { key: 1 })?;
        others.commit_at(Position(2))?;
        Ok(())
    }
}

type CatsAt<O> = Subject<Cat, O>;

struct Alias;

#[connector]
impl Alias {
    fn run(&mut self, cats: CatsAt<Position>) -> RunResult {
        cats.advance(Position(1))?;
        Ok(())
    }
}

fn push(cats: &Subject<Cat, Position>) {
    let _ = cats.advance(Position(1));
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
    let (_cats, _others) = pipeline.read(TwoTables);
    let _cats = pipeline.read(Alias);
}
