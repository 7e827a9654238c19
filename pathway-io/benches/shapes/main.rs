//! Converts rows of several shapes from JSON Lines to CSV, and compares the library with a loop that a user writes by
//! hand, with serde_json into a borrowed struct and the `csv` crate.
//!
//! Without arguments, the program runs all jobs in turn. For each shape it prints the CPU time per row of the loop by
//! hand, in nanoseconds, and the ratio of each other job to it, in CPU time and in wall time. `shapes JOB,.. SHAPE,..`
//! runs only these jobs and shapes. `shapes JOB SHAPE ROWS` runs one job and prints nothing, for
//! `valgrind --tool=callgrind`: the difference of two runs with different row counts is the cost of the additional
//! rows.
//!
//! | job | |
//! |---|---|
//! | `hand` | the loop by hand, on one thread |
//! | `sonic` | the same with sonic-rs instead of serde_json |
//! | `library` | a connector that pushes each line with `next_json`, and `csv::write` |
//! | `blocks` | the same, but pushes blocks of the file with `next_json_lines`: no line is copied, and UTF-8 is checked once |
//! | `read` | reads the lines and checks that they are UTF-8 |
//! | `parse` | `hand` without the output |
//! | `decode` | `library` without a sink |

mod by_hand;
#[path = "../common/mod.rs"]
mod common;
mod rows;

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use common::scratch;
use pathway_io::{ReadOptions, RunResult, Schema, csv};
use rows::SHAPES;

/// The number of different rows, which are repeated.
const BLOCK: u64 = 1_000;
/// The size of an input. In a shorter run, a large part of the library's time is the first use of its buffers' memory.
const BYTES: u64 = 200_000_000;
const ROUNDS: usize = 5;
const JOBS: [Job; 7] = [Job::Hand, Job::Sonic, Job::Library, Job::Blocks, Job::Read, Job::Parse, Job::Decode];

#[derive(Debug, Clone, Copy)]
enum Job {
    Hand,
    Sonic,
    Library,
    Blocks,
    Read,
    Parse,
    Decode,
}

impl Job {
    fn name(self) -> &'static str {
        match self {
            Job::Hand => "hand",
            Job::Sonic => "sonic",
            Job::Library => "library",
            Job::Blocks => "blocks",
            Job::Read => "read",
            Job::Parse => "parse",
            Job::Decode => "decode",
        }
    }
}

/// A shape of rows.
struct Shape {
    name: &'static str,
    line: fn(u64) -> String,
    library: fn(&Path, Option<&Path>) -> RunResult,
    blocks: fn(&Path, &Path) -> RunResult,
    by_hand: fn(&Path, Option<&Path>) -> RunResult,
    sonic: fn(&Path, Option<&Path>) -> RunResult,
}

impl Shape {
    fn run(&self, job: Job, input: &Path, output: &Path) -> RunResult {
        match job {
            Job::Hand => (self.by_hand)(input, Some(output)),
            Job::Sonic => (self.sonic)(input, Some(output)),
            Job::Library => (self.library)(input, Some(output)),
            Job::Blocks => (self.blocks)(input, output),
            Job::Read => for_each_line(input, |line| {
                black_box(line);
                Ok(())
            }),
            Job::Parse => (self.by_hand)(input, None),
            Job::Decode => (self.library)(input, None),
        }
    }

    /// Returns a block of different rows.
    fn block(&self) -> String {
        (0..BLOCK).map(|n| (self.line)(n) + "\n").collect()
    }

    /// Returns the number of rows in an input of this size.
    fn rows(&self, bytes: u64) -> u64 {
        BLOCK * (bytes / self.block().len() as u64).max(1)
    }

    fn write_input(&self, rows: u64, path: &Path) -> RunResult {
        let block = self.block();
        let mut file = File::create(path)?;
        for _ in 0..rows / BLOCK {
            file.write_all(block.as_bytes())?;
        }
        Ok(())
    }
}

fn main() -> RunResult {
    // `cargo bench` adds `--bench`.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let (input, output) = (scratch("shapes.jsonl"), scratch("shapes.csv"));
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [job, shape, rows, ..] => run_one(job, shape, rows.parse()?, &input, &output),
        [jobs, shapes] => compare(BYTES, jobs, shapes, &input, &output),
        _ if args.iter().any(|arg| arg == "--test") => compare(0, "", "", &input, &output),
        _ => compare(BYTES, "", "", &input, &output),
    };
    for path in [input, output] {
        let _ = std::fs::remove_file(path);
    }
    done
}

fn run_one(job: &str, shape: &str, rows: u64, input: &Path, output: &Path) -> RunResult {
    let job = JOBS.into_iter().find(|known| known.name() == job).ok_or("no such job")?;
    let shape = SHAPES.iter().find(|known| known.name == shape).ok_or("no such shape")?;
    shape.write_input(rows, input)?;
    shape.run(job, input, output)
}

/// Runs the jobs and shapes whose names are in the lists, or all, with inputs of this size.
fn compare(bytes: u64, jobs: &str, shapes: &str, input: &Path, output: &Path) -> RunResult {
    let is_in = |list: &str, name: &str| list.is_empty() || list.split(',').any(|listed| listed == name);
    println!("Medians of {ROUNDS} rounds in turn: ratios to the loop by hand, in CPU time and in wall time");
    for shape in SHAPES.iter().filter(|shape| is_in(shapes, shape.name)) {
        let rows = shape.rows(bytes);
        shape.write_input(rows, input)?;
        let jobs = JOBS.into_iter().filter(|job| matches!(job, Job::Hand) || is_in(jobs, job.name()));
        let mut times: [Vec<[f64; 2]>; JOBS.len()] = Default::default();
        for _ in 0..ROUNDS {
            for (job, times) in jobs.clone().zip(&mut times) {
                // Deleting a large file takes time, which is not part of a job.
                let _ = std::fs::remove_file(output);
                let (start, cpu) = (Instant::now(), cpu_time());
                shape.run(job, input, output)?;
                times.push([(cpu_time() - cpu).as_secs_f64(), start.elapsed().as_secs_f64()]);
            }
        }
        print!(
            "{:<10} {rows} rows   hand {:>6.0} ns",
            shape.name,
            median(times[0].iter().map(|[cpu, _]| cpu * 1e9 / rows as f64))
        );
        for (job, taken) in jobs.zip(&times).skip(1) {
            // Each round is compared with the loop by hand of the same round, because the machine may be slower in the
            // next.
            let [cpu, wall] =
                [0, 1].map(|of| median(taken.iter().zip(&times[0]).map(|(job, hand)| job[of] / hand[of])));
            print!("   {} {cpu:.2}, {wall:.2}", job.name());
        }
        println!();
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns the CPU time so far of all threads of this process, including those that have ended.
#[cfg(unix)]
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(not(unix))]
fn cpu_time() -> Duration {
    Duration::ZERO
}

fn library<S: Schema>(input: &Path, output: Option<&Path>) -> RunResult {
    let input = input.to_owned();
    common::time::<S>(
        ReadOptions::new().autocommit(Duration::from_secs(1)),
        |table| output.into_iter().for_each(|output| csv::write(table, output)),
        move |table| for_each_line(&input, |line| Ok(table.next_json(line)?)),
    );
    Ok(())
}

fn blocks<S: Schema>(input: &Path, output: &Path) -> RunResult {
    let input = input.to_owned();
    common::time::<S>(
        ReadOptions::new().autocommit(Duration::from_secs(1)),
        |table| csv::write(table, output),
        move |table| {
            let mut reader = BufReader::with_capacity(64 * 1024, File::open(&input)?);
            // The beginning of a line that ends in the next block.
            let mut cut = Vec::new();
            loop {
                let block = reader.fill_buf()?;
                let len = block.len();
                if block.is_empty() {
                    break;
                }
                let ends =
                    block.iter().position(|byte| *byte == b'\n').zip(block.iter().rposition(|byte| *byte == b'\n'));
                if let Some((first, last)) = ends {
                    cut.extend_from_slice(&block[..=first]);
                    table.next_json_lines(&cut)?;
                    table.next_json_lines(&block[first + 1..=last])?;
                    cut.clear();
                }
                cut.extend_from_slice(&block[ends.map_or(0, |(_, last)| last + 1)..]);
                reader.consume(len);
            }
            table.next_json_lines(&cut)?;
            Ok(())
        },
    );
    Ok(())
}

fn for_each_line(input: &Path, mut take: impl FnMut(&str) -> RunResult) -> RunResult {
    let mut reader = BufReader::with_capacity(64 * 1024, File::open(input)?);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        take(&line)?;
        line.clear();
    }
    Ok(())
}
