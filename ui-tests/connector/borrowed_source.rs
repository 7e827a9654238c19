use pathway_io::{Pipeline, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Named<'a, T> {
    name: &'a str,
    kept: Vec<T>,
}

#[connector]
impl<'a, T: Send> Named<'a, T> {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        Ok(())
    }
}

struct Elided<'a>(&'a str);

#[connector]
impl Elided<'_> {
    fn run(&mut self, cats: Subject<Cat>, others: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: 1 })?;
        others.next(Cat { key: 1 })?;
        Ok(())
    }
}

struct Wrapper<T>(T);

#[connector]
impl Wrapper<&str> {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: self.0.len() as i64 })?;
        Ok(())
    }
}

// This one borrows nothing.
#[connector]
impl Wrapper<fn(&str) -> i64> {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat { key: self.0("cat") })?;
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    let _cats = pipeline.read(Named { name: "cats", kept: vec![1] });
    let _cats = pipeline.read(Wrapper("cats"));
    let (_cats, _others) = pipeline.read(Elided("cats"));
}
