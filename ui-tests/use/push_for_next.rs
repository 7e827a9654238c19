//! Methods that a subject does not have. None of these names is a private method, which rustc would name instead.

use pathway_io::{AsyncSubject, RunResult, Schema, Subject};

#[derive(Schema)]
struct Cat {
    key: i64,
}

async fn push(cats: &Subject<Cat>, tasks: &AsyncSubject<Cat>) -> RunResult {
    cats.push(Cat { key: 1 })?;
    cats.send(Cat { key: 1 })?;
    cats.transaction().push(Cat { key: 1 })?;
    tasks.push(Cat { key: 1 }).await?;
    tasks.transaction().push(Cat { key: 1 })?;
    Ok(())
}

fn main() {}
