//! `kill -9` at random moments.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use std::{env, thread};

use crate::child::Program;
use crate::outputs::outcome;

/// The number of steps of the last run, which is not disturbed.
const LAST: u64 = 40;
const TINY_LOGS: (&str, &str) = ("PATHWAY_IO_TINY_LOGS", "1");

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

// Contract 9.3
#[test]
fn random_kills_lose_and_duplicate_nothing() {
    let rounds = number("PATHWAY_IO_KILL_ROUNDS").unwrap_or(8);
    let seed = number("PATHWAY_IO_KILL_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    eprintln!("seed {seed}");
    let mut random = seed | 1;
    for durability in ["every", "interval", "os"] {
        let mut program = Program::new();
        program.durability = durability;
        let mut round = 0;
        // On a busy machine, each run may be killed before it makes progress. Then there are more runs, with longer
        // pauses.
        while round < rounds || (!program.has_resumed() && round < 20 * rounds) {
            let running = program.start("endless", if round % 2 == 0 { &[TINY_LOGS] } else { &[] });
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // The pause does not wait for an event. It selects a random moment for the kill. The start of the program
            // takes some milliseconds, and longer with workers, parts or a server.
            let longest = if cfg!(feature = "postgres") {
                800_000
            } else if cfg!(any(feature = "dataflow", feature = "parquet")) {
                300_000
            } else {
                60_000
            };
            thread::sleep(Duration::from_micros(2_000 + random % longest * (1 + round / rounds)));
            running.kill();
            round += 1;
        }
        program.finish(&format!("more:{LAST}"));
        // An undisturbed run up to the position that the killed program has reached.
        let (bank, clock) = program.resumed();
        assert!(bank + clock > 2 * LAST, "seed {seed}, {durability}: the program made no progress before the kills");
        let undisturbed = Program::new();
        undisturbed.finish(&format!("totals:{bank}:{clock}"));
        if let Some(difference) = outcome(&program).difference(&outcome(&undisturbed)) {
            panic!("seed {seed}, {durability}: {difference}: compare {} and {}", program.keep(), undisturbed.keep());
        }
        eprintln!("{durability}: {round} kills, {bank} and {clock} steps");
    }
}
