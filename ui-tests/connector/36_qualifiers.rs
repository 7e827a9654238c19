use pathway_io::{RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Cat {
    key: i64,
}

struct Cats;

struct Generic;
struct Const;
struct Extern;
struct Named;

#[connector]
impl Cats {
    unsafe fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        drop(cats);
        Ok(())
    }
}

#[connector]
impl Generic {
    fn run<T>(&mut self, cats: Subject<Cat>) -> RunResult {
        drop(cats);
        Ok(())
    }
}

#[connector]
impl Const {
    const fn run(&mut self, cats: Subject<Cat>) {
        std::mem::forget(cats);
    }
}

#[connector]
impl Extern {
    extern "C" fn run(&mut self, cats: Subject<Cat>) {
        drop(cats);
    }
}

#[connector]
impl Named {
    fn run<'a>(&'a mut self, cats: Subject<Cat>) {
        drop(cats);
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let _cats = pipeline.read(Cats);
}
