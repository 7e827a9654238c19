//! The program under test. It has two sources: one makes every commit itself, and one relies on autocommit. They push
//! upserts, removals, transactions over two tables and bad rows, into CSV, JSON Lines, SQLite and a quarantine file.
//! With the feature `dataflow`, the program also has derived tables.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use pathway_io::dataflow::Workers;
use pathway_io::{
    BadRows, Durability, Pipeline, ReadOptions, RunResult, Schema, Subject, connector, csv, jsonlines, sqlite,
};

/// The environment variable for the directory of the child. The parent does not set it for itself.
pub const DIRECTORY: &str = "PATHWAY_IO_KILL_DIRECTORY";
/// The end of each source: `total:N`, `totals:N:M` for the two sources, `more:N` from where it resumes, or `endless`.
pub const STEPS: &str = "PATHWAY_IO_KILL_STEPS";
pub const DURABILITY: &str = "PATHWAY_IO_KILL_DURABILITY";

#[derive(Schema, Debug, Clone, PartialEq)]
pub struct Account {
    #[schema(primary_key)]
    pub id: u32,
    pub owner: String,
    pub balance: f64,
}

#[derive(Schema, Debug, Clone, PartialEq)]
pub struct Booking {
    pub step: u64,
    pub text: String,
}

#[derive(Schema, Debug, Clone, PartialEq)]
pub struct Tick {
    #[schema(primary_key)]
    pub key: u32,
    pub step: u64,
}

/// Returns a pseudorandom number that depends only on the step and the salt, so that every run repeats it.
fn mix(step: u64, salt: u64) -> u64 {
    let mut x = step.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt.wrapping_mul(0xd1b5_4a32_d192_ed03));
    x ^= x >> 31;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 29)
}

fn account(step: u64, salt: u64) -> Account {
    let x = mix(step, salt);
    Account { id: (x % 13) as u32, owner: format!("o,\"{}\"", x % 3), balance: (x % 1000) as f64 / 8.0 }
}

struct Bank {
    to: To,
    /// The file that reports the position of the source.
    tell: PathBuf,
}

// A checkpoint waits for the results of queued rows. With a small backlog this takes little time.
#[connector(name = "bank", autocommit = off, backlog = 100)]
impl Bank {
    fn run(&mut self, accounts: Subject<Account, u64>, bookings: Subject<Booking, u64>) -> RunResult {
        accounts.on_durable(|_| {});
        let from = accounts.resume().unwrap_or(0);
        if from > 0 {
            fs::write(self.tell.with_extension("resumed"), [])?;
        }
        let last = self.to.last(from);
        for step in from..last {
            let end = step + 1;
            if step % 8 == 7 {
                // Spreads the commits over several checkpoints.
                accounts.sleep(Duration::from_millis(1))?;
            }
            match mix(step, 1) % 8 {
                0 | 1 => {
                    let transfer = accounts.transaction();
                    for salt in 2..5 {
                        transfer.next(account(step, salt))?;
                    }
                    transfer.with(&bookings).next(Booking { step, text: "a\ntransfer".into() })?;
                    transfer.commit_at(end)?;
                }
                2 => {
                    accounts.remove((mix(step, 2) % 13) as u32)?;
                    accounts.commit_at(end)?;
                }
                3 => {
                    // A truncated line, followed by a valid one.
                    accounts.next_json_at(end, format!(r#"{{"id": {step}, "owner""#))?;
                    bookings.next(Booking { step, text: String::new() })?;
                    bookings.commit_at(end)?;
                }
                4 => {
                    // A commit with an offset and without rows.
                    accounts.commit_at(end)?;
                }
                5 => {
                    // A transaction that is dropped, and plain rows that are kept.
                    let dropped = accounts.transaction();
                    dropped.next(account(step, 9))?;
                    drop(dropped);
                    accounts.next_at(end, account(step, 2))?;
                    accounts.commit()?;
                }
                6 => {
                    // An offset outside a transaction, which covers the rows inside it.
                    let transfer = accounts.transaction();
                    transfer.next(account(step, 2))?;
                    transfer.with(&bookings).next(Booking { step, text: "inside".into() })?;
                    bookings.next_at(end, Booking { step, text: "outside".into() })?;
                    bookings.commit()?;
                    transfer.commit()?;
                }
                _ => {
                    for salt in 2..4 {
                        accounts.next(account(step, salt))?;
                        bookings.next(Booking { step, text: salt.to_string() })?;
                    }
                    accounts.commit_at(end)?;
                }
            }
        }
        fs::write(&self.tell, last.to_string())?;
        Ok(accounts.commit()?)
    }
}

struct Clock {
    to: To,
    tell: PathBuf,
}

#[connector(name = "clock", autocommit = "1ms", backlog = 100)]
impl Clock {
    fn run(&mut self, ticks: Subject<Tick, u64>) -> RunResult {
        let from = ticks.resume().unwrap_or(0);
        let last = self.to.last(from);
        for step in from..last {
            let key = (mix(step, 7) % 17) as u32;
            if mix(step, 8).is_multiple_of(5) {
                ticks.remove(key)?;
                ticks.advance(step + 1)?;
            } else {
                ticks.next_at(step + 1, Tick { key, step })?;
            }
            if step % 64 == 63 {
                ticks.sleep(Duration::from_millis(1))?;
            }
        }
        fs::write(&self.tell, last.to_string())?;
        Ok(ticks.commit()?)
    }
}

/// The end of a source.
#[derive(Clone, Copy)]
pub enum To {
    Total(u64),
    More(u64),
    Endless,
}

impl To {
    fn of_environment(source: usize) -> Self {
        let text = env::var(STEPS).expect("the parent sets the variable");
        let number = |text: &str| text.parse().expect("a number");
        match text.split_once(':') {
            Some(("total", steps)) => To::Total(number(steps)),
            Some(("totals", steps)) => {
                To::Total(number(steps.split(':').nth(source).expect("a number for each source")))
            }
            Some(("more", steps)) => To::More(number(steps)),
            _ => To::Endless,
        }
    }

    fn last(self, from: u64) -> u64 {
        match self {
            To::Total(last) => last.max(from),
            To::More(more) => from + more,
            To::Endless => u64::MAX,
        }
    }
}

/// Runs the pipeline in a child process and exits like a `main`; in the parent it does nothing.
#[test]
fn child() {
    let Ok(directory) = env::var(DIRECTORY) else { return };
    let durability = match env::var(DURABILITY).as_deref() {
        Ok("os") => Durability::NoSync,
        Ok("interval") => Durability::Interval(Duration::from_millis(5)),
        _ => Durability::EveryCommit,
    };
    let code = match run(Path::new(&directory), [0, 1].map(To::of_environment), durability) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("@{error}");
            1
        }
    };
    std::process::exit(code);
}

/// Runs the pipeline in a directory.
pub fn run(directory: &Path, [bank, clock]: [To; 2], durability: Durability) -> pathway_io::Result<()> {
    let pipeline = Pipeline::persistent(directory.join("state"))?;
    pipeline.handle_signals(false);
    pipeline.durability(durability);
    let quarantine = BadRows::Quarantine(directory.join("bad.jsonl"));
    let (accounts, bookings) =
        pipeline.read_with(Bank { to: bank, tell: directory.join("bank") }, ReadOptions::new().bad_rows(quarantine));
    let ticks = pipeline.read(Clock { to: clock, tell: directory.join("clock") });
    csv::write(&accounts, directory.join("accounts.csv"));
    jsonlines::write(&accounts, directory.join("accounts.jsonl"));
    jsonlines::write(&bookings, directory.join("bookings.jsonl"));
    csv::write(&ticks, directory.join("ticks.csv"));
    sqlite::write(&accounts, directory.join("bank.sqlite"));
    sqlite::write(&bookings, directory.join("bank.sqlite"));
    sqlite::write(&ticks, directory.join("ticks.sqlite"));
    #[cfg(feature = "postgres")]
    crate::postgres::add(&accounts, &bookings, &ticks, directory);
    #[cfg(feature = "parquet")]
    crate::parts::add(&bookings, directory);
    #[cfg(feature = "dataflow")]
    crate::computed::add(&accounts, &bookings, &ticks, directory);
    pipeline.run_on(Workers::threads(2))?;
    Ok(())
}
