//! The derived tables of the program, and the expected content of their files.

use std::collections::BTreeMap;
use std::path::Path;

use pathway_io::dataflow::compute;
use pathway_io::{Schema, Table, csv, jsonlines, sqlite};

use crate::child::Program;
use crate::outputs::{self, Commits};
use crate::program::{Account, Booking, Tick};

#[derive(Schema)]
#[schema(dataflow)]
struct Count {
    #[schema(primary_key)]
    word: String,
    n: i64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Met {
    place: i64,
    owner: String,
    text: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Seen {
    id: u32,
    owner: String,
    step: u64,
}

/// Adds computations on a table with a key, on one without a key, on derived tables, and on tables of two sources.
pub fn add(accounts: &Table<Account>, bookings: &Table<Booking>, ticks: &Table<Tick>, directory: &Path) {
    let count = |(word, n): (String, isize)| Count { word, n: n as i64 };
    let owners = accounts.compute(move |accounts| accounts.map(|account| account.owner).count().map(count));
    let texts = bookings.compute(move |bookings| bookings.map(|booking| booking.text).count().map(count));
    let met = compute((&owners, &texts), |_, (owners, texts)| {
        let place = |count: Count| (count.n % 5, count.word);
        let met = |place: &i64, owner: &String, text: &String| Met {
            place: *place,
            owner: owner.clone(),
            text: text.clone(),
        };
        owners.map(place).join_map(texts.map(place), met)
    });
    let seen = compute((accounts, ticks), |_, (accounts, ticks)| {
        let accounts = accounts.map(|account| (account.id, account.owner));
        let ticks = ticks.map(|tick| (tick.key, tick.step));
        accounts.join_map(ticks, |id, owner, step| Seen { id: *id, owner: owner.clone(), step: *step })
    });
    csv::write(&owners, directory.join("owners.csv"));
    jsonlines::write(&texts, directory.join("texts.jsonl"));
    csv::write(&met, directory.join("met.csv"));
    jsonlines::write(&seen, directory.join("seen.jsonl"));
    sqlite::write(&owners, directory.join("computed.sqlite"));
    sqlite::write(&met, directory.join("computed.sqlite"));
    sqlite::write(&seen, directory.join("seen.sqlite"));
    #[cfg(feature = "postgres")]
    crate::postgres::add_computed(&owners, &met, directory);
}

/// The results that must equal those of an undisturbed run.
#[derive(PartialEq)]
pub struct Computed {
    /// The source makes every commit itself, so these results must be equal commit by commit.
    owners: Commits,
    texts: Commits,
    met: Commits,
    /// Depends on both sources, so only the final table must be equal.
    seen: BTreeMap<String, String>,
}

impl Computed {
    pub fn difference(&self, expected: &Computed) -> Option<String> {
        outputs::first("commit of owners.csv", &self.owners, &expected.owners)
            .or_else(|| outputs::first("commit of texts.jsonl", &self.texts, &expected.texts))
            .or_else(|| outputs::first("commit of met.csv", &self.met, &expected.met))
            .or_else(|| (self.seen != expected.seen).then(|| "the table of seen.jsonl".to_owned()))
    }
}

pub fn outcome(program: &Program) -> Computed {
    let seen = outputs::json(program, "seen.jsonl");
    let table = outputs::table(&seen, str::to_owned, "seen.jsonl");
    outputs::commits(seen, "seen.jsonl");
    let owners = outputs::csv(program, "owners.csv");
    let current = outputs::table(&owners, outputs::first_field, "owners.csv").into_values().collect::<Vec<_>>();
    let in_database = outputs::database(program, "computed.sqlite", "SELECT word, n FROM Count ORDER BY word");
    assert_eq!(in_database, current, "the owners in the database");
    let met = outputs::csv(program, "met.csv");
    let updates: Vec<String> = met.iter().map(|(time, row, diff)| format!("{row}|{time}|{diff}")).collect();
    let in_database =
        outputs::database(program, "computed.sqlite", "SELECT place, owner, text, time, diff FROM Met ORDER BY rowid");
    assert_eq!(in_database, updates, "what has met in the database");
    let in_database = outputs::database(
        program,
        "seen.sqlite",
        "SELECT json_object('id', id, 'owner', owner, 'step', step) FROM Seen GROUP BY id, owner, step HAVING sum(diff) > 0",
    );
    assert_eq!(in_database.len(), table.len(), "what was seen in the database");
    let met = outputs::commits(met, "met.csv");
    #[cfg(feature = "postgres")]
    crate::postgres::check_computed(program, &current, &met);
    Computed {
        owners: outputs::commits(owners, "owners.csv"),
        texts: outputs::commits(outputs::json(program, "texts.jsonl"), "texts.jsonl"),
        met,
        seen: table,
    }
}
