//! Words counted by one process or by several: the same program, started once for each.
//!
//! ```text
//! cargo run -p example-dataflow --bin cluster -- COUNTS.csv
//! cargo run -p example-dataflow --bin cluster -- COUNTS.csv -n 2 -p 0 &
//! cargo run -p example-dataflow --bin cluster -- COUNTS.csv -n 2 -p 1
//! examples/dataflow/compare        # does both, and compares what they write
//! ```
//!
//! The source is read in parts: each worker makes the lines of its own, and nothing of them goes through one place. Only
//! the counts come together, in the file of process 0.

use pathway_io::dataflow::{Partition, Workers};
use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv};

const LINES: u64 = 20_000;

#[derive(Schema)]
#[schema(dataflow)]
struct Line {
    text: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct WordCount {
    #[schema(primary_key)]
    word: String,
    n: i64,
}

#[derive(Clone)]
struct Lines;

#[connector(name = "lines", autocommit = off)]
impl Lines {
    fn run(&mut self, lines: Subject<Line>, part: Partition) -> RunResult {
        let words = ["felis", "lynx", "otocolobus", "panthera", "puma", "acinonyx", "caracal"];
        for number in (part.index as u64..LINES).step_by(part.count) {
            let word = |n: u64| words[(number.wrapping_mul(n) >> 3) as usize % words.len()];
            lines.next(Line { text: format!("{} {} {}", word(2_654_435_761), word(40_503), word(9_973)) })?;
        }
        // One commit, so that there is one count of each word and no history of it.
        lines.commit()?;
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let mut args: Vec<String> = std::env::args().collect();
    if args.len() < 2 || args[1].starts_with('-') {
        return Err(std::io::Error::other(
            "usage: cluster COUNTS.csv [-w THREADS] [-n PROCESSES -p PROCESS] [-h HOSTS]",
        )
        .into());
    }
    let output = args.remove(1);

    let pipeline = Pipeline::new();
    let lines = pipeline.read(Lines);
    let counts = lines.compute(|lines| {
        lines
            .flat_map(|line| line.text.split(' ').map(str::to_owned).collect::<Vec<_>>())
            .count()
            .map(|(word, n)| WordCount { word, n: n as i64 })
    });
    csv::write(&counts, output);
    pipeline.run_on(Workers::from_args(args)?)?;
    Ok(())
}
