//! A forgotten bound of a generic connector is one error, wherever the macro copies the parameter.

use pathway_io::{ColumnType, Pipeline, RunResult, Schema, Subject, connector, csv};

#[derive(Schema)]
struct Reading<T: ColumnType> {
    value: T,
}

struct Rows<T>(Vec<T>);

#[connector]
impl<T> Rows<T> {
    fn run(&mut self, rows: Subject<T>) -> RunResult {
        for row in self.0.drain(..) {
            rows.next(row)?;
        }
        Ok(())
    }
}

struct Readings<T>(T);

#[connector]
impl<T> Readings<T> {
    fn run(&mut self, hot: Subject<Reading<T>>, cold: Subject<Reading<Option<T>>>) -> RunResult {
        cold.next(Reading { value: None })?;
        Ok(())
    }
}

struct Resumed<O>(O);

#[connector]
impl<O> Resumed<O> {
    fn run(&mut self, readings: Subject<Reading<u8>, O>) -> RunResult {
        self.0 = readings.resume().unwrap();
        Ok(())
    }
}

struct Bound<T>(T);

#[connector]
impl<T: Send> Bound<T> {
    fn run(&mut self, rows: Subject<T>) -> RunResult {
        Ok(())
    }
}

fn main() {
    let pipeline = Pipeline::new();
    csv::write(&pipeline.read(Rows(vec![1])), "rows.csv");
    let (_hot, _cold) = pipeline.read(Readings(1));
    pipeline.read(Resumed(1));
}
