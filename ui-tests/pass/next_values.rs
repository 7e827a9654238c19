//! `next!` accepts the same values as a struct literal: values whose type is inferred from the field, expressions that never
//! return, and blocks. The values of a nested literal convert, too.

#![allow(unreachable_code)]

use std::cell::Cell;
use std::collections::HashMap;

use pathway_io::{ColumnType, RunResult, Schema, Subject, connector, next};

#[derive(Schema)]
struct Cat {
    key: i64,
    genus: String,
    weight: Option<f64>,
}

/// A row of a database. The type of a value is inferred from its field.
struct Record;

impl Record {
    fn get<T: Default>(&self, _index: usize) -> Result<T, std::io::Error> {
        Ok(T::default())
    }
}

struct Zoo;

#[connector]
impl Zoo {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        let record = Record;
        next!(cats, Cat { key: record.get(0)?, genus: "felis", weight: None })?;
        next!(cats, Cat { key: record.get(0)?, genus: record.get(1)?, weight: record.get(2)? })?;
        // A reference in a map converts, and so does the number in a `Cell`.
        let (names, weight) = (HashMap::from([(1, "felis".to_owned())]), Cell::new(4.0));
        next!(cats, Cat { key: 1, genus: names.get(&1).unwrap(), weight: weight.get() })?;
        next!(cats, Cat { key: Into::into(3u8), genus: From::from("lynx"), weight: Some(1.0) })?;
        let tame = cats.is_closed();
        next!(cats, Cat {
            key: if tame { 1 } else { 2 },
            genus: if tame { "felis" } else { "lynx" },
            weight: match tame { true => None, false => Some(4.0) },
        })?;
        next!(cats, Cat {
            key: { let half = 21; half * 2 },
            genus: match tame { true => "puma".into(), false => char::from(b'x').into() },
            weight: if tame { return Ok(()) } else { 2.0 },
        })?;
        for key in 0..3 {
            next!(cats, Cat { key, genus: if key == 1 { continue } else { "f" }, weight: None })?;
        }
        if tame {
            next!(cats, Cat { key: todo!(), genus: unimplemented!("later"), weight: { return Ok(()) } })?;
        }
        Ok(())
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Place {
    city: String,
    street: Option<String>,
}

#[derive(Schema)]
struct Reading<T: ColumnType> {
    value: T,
    unit: Option<String>,
}

#[derive(Schema)]
struct Card {
    #[schema(json)]
    home: Option<Place>,
    #[schema(flatten)]
    reading: Reading<f64>,
}

struct Cards;

#[connector]
impl Cards {
    fn run(&mut self, cards: Subject<Card>) -> RunResult {
        next!(cards, Card {
            home: Place { city: "rome", street: None },
            reading: Reading { value: "4".parse()?, unit: "kg" },
        })?;
        next!(cards, Card {
            home: Some(Place { city: "rome".into(), street: None }),
            reading: Reading::<f64> { value: 4.0, .. },
        })?;
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let cards = pathway_io::testing::collect(Cards)?;
    assert!(cards.iter().all(|update| update.row.home.as_ref().is_some_and(|home| home.city == "rome")));
    assert!(cards.iter().all(|update| update.row.reading.value == 4.0));
    let updates = pathway_io::testing::collect(Zoo)?;
    let genera: Vec<_> = updates.iter().map(|update| (update.row.key, update.row.genus.as_str())).collect();
    assert_eq!(genera, [(0, "felis"), (0, ""), (1, "felis"), (3, "lynx"), (2, "lynx"), (42, "x"), (0, "f"), (2, "f")]);
    Ok(())
}
