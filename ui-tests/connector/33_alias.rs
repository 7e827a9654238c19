use pathway_io::{AsyncSubject, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

type Blocking = Subject<Cat>;
type Async = AsyncSubject<Cat>;

struct Cats;

#[connector]
impl Cats {
    async fn run(&mut self, _cats: Blocking) -> RunResult {
        Ok(())
    }
}

struct Dogs;

#[connector]
impl Dogs {
    fn run(&mut self, _dogs: Async) -> RunResult {
        Ok(())
    }
}

fn main() {
    let _ = (Cats, Dogs);
}
