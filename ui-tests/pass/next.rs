//! `next!` with each kind of value, schema path, subject and surroundings.

use std::cell::Cell;

use pathway_io::{Closed, RunResult, Schema, Subject, connector};

mod model {
    #[derive(pathway_io::Schema, Debug, PartialEq)]
    pub struct Cat {
        #[schema(primary_key)]
        pub key: i64,
        pub genus: String,
        pub weight: Option<f64>,
        pub nick: Option<String>,
        pub r#type: Vec<u8>,
        #[schema(rename = "paws", default = 4)]
        pub legs: u8,
    }
}
use model::Cat;

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

fn costly() -> u64 {
    CALLS.set(CALLS.get() + 1);
    7
}

#[derive(Schema)]
struct Owner {
    #[schema(flatten, primary_key)]
    cat: Cat,
    #[schema(default = costly())]
    age: u64,
    sizes: Vec<f64>,
}

#[derive(Schema)]
struct Legs {
    #[schema(default = 4)]
    legs: u8,
}

#[derive(Schema)]
struct Walk {
    name: String,
    #[schema(flatten)]
    legs: Legs,
}

const LEGS: i64 = 4;

impl Walk {
    fn push(walks: &Subject<Walk>) -> Result<(), Closed> {
        pathway_io::next!(walks, Self { name: 'w', .. })
    }
}

struct Zoo {
    asked: u32,
}

impl Zoo {
    fn subject<'a>(&mut self, cats: &'a Subject<Cat>) -> &'a Subject<Cat> {
        self.asked += 1;
        cats
    }
}

/// Requires what a runtime with several threads requires of a task.
fn spawnable<F: Future + Send + 'static>(future: F) -> F {
    future
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

#[connector]
impl Zoo {
    fn run(&mut self, cats: Subject<Cat>, owners: Subject<Owner>, walks: Subject<Walk>) -> RunResult {
        use pathway_io::next;
        let genus = String::from("lynx");
        next!(cats, Cat { key: 1, genus: "felis", weight: 4.5, nick: "tom", r#type: b"x", legs: 3 })?;
        next!(cats, model::Cat { key: 2, genus: &genus, weight: None, nick: None, r#type: [1, 2], legs: 3, })?;
        next!(self.subject(&cats), Cat { key: "3".parse()?, genus: genus.clone(), r#type: [], .. })?;
        assert_eq!(self.asked, 1);
        let (key, weight) = (4, Some(2.0));
        next!(&cats, Cat { key, genus, weight, r#type: vec![], .. })?;
        let base = Cat { key: 0, genus: "g".into(), weight: None, nick: None, r#type: vec![9], legs: 2 };
        next!(cats, Cat { key: 5, ..base })?;
        let push = |key| next!(cats, Cat { key, genus: format!("f{key}"), r#type: Default::default(), .. });
        push(6)?;
        block_on(async { next!(cats, Cat { key: std::future::ready(7).await, genus: "g", r#type: [], .. }) })?;
        let handle = cats.clone();
        let genus = String::from("puma");
        block_on(spawnable(async move {
            next!(handle, Cat { key: std::future::ready(10).await, genus: &genus, nick: Some(genus.clone()), r#type: b"x", .. })
        }))?;

        let transaction = cats.transaction();
        next!(transaction, Cat { key: 8, genus: "t", r#type: [], .. })?;
        next!(transaction.with(&owners), Owner { cat: Cat { key: 8, genus: "n", r#type: [], .. }, age: 1, sizes: [1.0] })?;
        transaction.commit()?;
        assert_eq!(CALLS.get(), 0);
        next!(owners, Owner { cat: Cat { key: 9, genus: "n", r#type: [], .. }, sizes: [], .. })?;
        assert_eq!(CALLS.get(), 1);
        next!(walks, Walk { name: "w", legs: Legs { legs: "4".parse().map_err(std::io::Error::other)? } })?;
        next!(walks, Walk { name: "w", legs: Legs { legs: LEGS as _ } })?;
        Walk::push(&walks)?;
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let pipeline = pathway_io::Pipeline::new();
    let (cats, owners, walks) = pipeline.read(Zoo { asked: 0 });
    let cats = cats.commits(100);
    let owners = owners.commits(100);
    let walks = walks.commits(100);
    pipeline.run()?;
    let cats: Vec<Cat> = cats.iter().flat_map(|commit| commit.iter().map(|update| update.row).collect::<Vec<_>>()).collect();
    assert_eq!(cats.len(), 9);
    assert_eq!(
        cats[0],
        Cat { key: 1, genus: "felis".into(), weight: Some(4.5), nick: Some("tom".into()), r#type: vec![b'x'], legs: 3 }
    );
    assert_eq!(cats[2], Cat { key: 3, genus: "lynx".into(), weight: None, nick: None, r#type: vec![], legs: 4 });
    assert_eq!(owners.iter().map(|commit| commit.len()).sum::<usize>(), 2);
    assert_eq!(walks.iter().map(|commit| commit.len()).sum::<usize>(), 3);
    Ok(())
}
