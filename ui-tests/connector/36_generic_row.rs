use pathway_io::{Pipeline, RunResult, Schema, Subject, connector};

struct Rows;

#[connector]
impl Rows {
    fn run<S: Schema + Default>(&mut self, rows: Subject<S>) -> RunResult {
        rows.next(S::default())?;
        Ok(())
    }
}

fn main() {
    Pipeline::new().read(Rows);
}
