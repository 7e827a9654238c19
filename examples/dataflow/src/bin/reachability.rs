//! What can be reached while roads are built and closed: a recursive computation on a stream of edges.
//!
//! ```text
//! cargo run --release -p example-dataflow --bin reachability
//! cargo run --release -p example-dataflow --bin reachability -- --steps 100 -w 2
//! ```
//!
//! Each step builds a road between two of a hundred towns, or closes one. The program prints which towns can be reached
//! from town 0 since that step, and which cannot any more. All that follows from a road is found by `iterate`, and only
//! what has changed is computed.

use std::time::Duration;

use pathway_io::dataflow::differential_dataflow::operators::Iterate;
use pathway_io::dataflow::{Collection, Workers};
use pathway_io::{Commit, Pipeline, Schema, Subject, connector};

const TOWNS: u64 = 100;

#[derive(Schema)]
#[schema(dataflow)]
struct Road {
    #[schema(primary_key)]
    from: u64,
    #[schema(primary_key)]
    to: u64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Town {
    #[schema(primary_key)]
    number: u64,
}

struct Roads {
    steps: u64,
    pause: Duration,
}

#[connector(name = "roads", autocommit = off)]
impl Roads {
    fn run(&mut self, roads: Subject<Road>) -> pathway_io::Result<()> {
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            // An xorshift generator: the same roads in each run.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let mut built = Vec::new();
        for _ in 0..self.steps {
            if built.len() > 115 {
                let at = (next() % built.len() as u64) as usize;
                roads.remove(built.swap_remove(at))?;
            } else {
                let (from, to) = (next() % TOWNS, next() % TOWNS);
                built.push((from, to));
                roads.next(Road { from, to })?;
            }
            roads.commit()?;
            roads.sleep(self.pause)?;
        }
        Ok(())
    }
}

/// The towns that a road leads to from a town that can be reached, and so on, from town 0.
fn reachable(roads: Collection<'_, Road>) -> Collection<'_, Town> {
    let roads = roads.map(|road| (road.from, road.to));
    let start = roads.clone().map(|_| 0).distinct();
    start
        .clone()
        .iterate(move |scope, reached| {
            let (roads, start) = (roads.enter(scope), start.enter(scope));
            reached.map(|town| (town, ())).join_map(roads, |_from, (), to| *to).concat(start).distinct()
        })
        .map(|number| Town { number })
}

fn main() -> pathway_io::Result<()> {
    let mut args: Vec<String> = std::env::args().collect();
    let steps = match args.iter().position(|arg| arg == "--steps") {
        Some(at) if at + 1 < args.len() => {
            let steps = args.drain(at..at + 2).nth(1).unwrap_or_default();
            steps.parse().map_err(|_| std::io::Error::other("usage: reachability [--steps N] [-w THREADS]"))?
        }
        _ => 1_000,
    };

    let pipeline = Pipeline::new();
    let roads = pipeline.read(Roads { steps, pause: Duration::from_millis(2) });
    let mut reached = 0;
    roads.compute(reachable).subscribe_commits(move |commit: &Commit<Town>| {
        let towns = |diff| {
            let towns = commit.iter().filter(|update| update.diff == diff).map(|update| update.row.number.to_string());
            towns.collect::<Vec<_>>().join(" ")
        };
        reached += commit.iter().map(|update| update.diff).sum::<i64>();
        println!("{reached:3} towns: +[{}] -[{}]", towns(1), towns(-1));
    });
    pipeline.run_on(Workers::from_args(args)?)?;
    Ok(())
}
