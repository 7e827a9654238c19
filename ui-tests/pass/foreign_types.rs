//! Fields of foreign types, converted by a module or by traits, through every push and output.

use std::fmt;
use std::num::ParseIntError;

use pathway_io::{DataType, Keyed, RunResult, Schema, Subject, connector, csv, jsonlines, next};

/// A type of another crate: it has none of the traits of rows.
mod colors {
    #[derive(Debug, Clone, PartialEq)]
    pub struct Color(pub u32);
    #[derive(Debug, PartialEq)]
    pub struct Handle(pub u64);
}

use colors::{Color, Handle};

mod hex {
    use super::{Color, ParseIntError};

    pub type Column = String;

    pub fn to_column(color: &Color) -> String {
        format!("#{:06x}", color.0)
    }

    pub fn from_column(text: String) -> Result<Color, ParseIntError> {
        u32::from_str_radix(text.trim_start_matches('#'), 16).map(Color)
    }
}

mod number {
    pub type Column = u64;

    pub fn to_column(handle: &super::Handle) -> u64 {
        handle.0
    }

    /// Every number is a valid value, so the conversion needs no `Result`.
    pub fn from_column(number: u64) -> super::Handle {
        super::Handle(number)
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Even(u32);

#[derive(Debug)]
struct Odd(u32);

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is odd", self.0)
    }
}

impl TryFrom<u32> for Even {
    type Error = Odd;

    fn try_from(number: u32) -> Result<Even, Odd> {
        if number % 2 == 0 { Ok(Even(number)) } else { Err(Odd(number)) }
    }
}

impl From<Even> for u32 {
    fn from(Even(number): Even) -> u32 {
        number
    }
}

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    #[schema(primary_key, with = "hex")]
    collar: Color,
    #[schema(with = number)]
    handle: Handle,
    #[schema(try_from = "u32", into = "u32", default = Even(4))]
    legs: Even,
    #[schema(with = "self::hex", alias = "iris")]
    eyes: Option<Color>,
    #[schema(try_from = "u32", into = "u32")]
    teeth: Option<Even>,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        cats.next(Cat {
            collar: Color(0xff_00_00),
            handle: Handle(1),
            legs: Even(2),
            eyes: Some(Color(1)),
            teeth: None,
        })?;
        cats.next_json(r##"{"collar": "#00FF00", "handle": 2, "iris": "#2", "teeth": 30}"##)?;
        // the same key, written in another way
        cats.next_json(r##"{"collar": "00ff00", "handle": 3, "legs": 6, "eyes": null}"##)?;
        next!(cats, Cat { collar: Color(7), handle: Handle(7), legs: Even(0), eyes: Color(7), teeth: None })?;
        cats.remove(Color(7))?;
        for (row, column, reason) in [
            (r##"{"collar": "#1", "handle": 1, "legs": 3}"##, "legs", "expected an `Even`, found \"3\": 3 is odd"),
            (
                r##"{"collar": "red", "handle": 1}"##,
                "collar",
                "expected a `Color`, found \"red\": invalid digit found in string",
            ),
            (r##"{"collar": "#1", "handle": 1, "teeth": 5}"##, "teeth", "expected an `Even`, found \"5\": 5 is odd"),
            (r##"{"collar": "#1", "handle": "1"}"##, "handle", "expected a `u64`, found the string \"1\""),
        ] {
            let error = cats.next_json(row).unwrap_err();
            assert_eq!((error.column(), error.reason()), (Some(column), reason));
        }
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let columns = Cat::schema().columns;
    assert_eq!((columns[0].data_type, columns[1].data_type), (DataType::Str, DataType::U64));
    assert_eq!((columns[3].data_type, columns[3].optional), (DataType::Str, true));
    assert_eq!(columns[2].default_value(), Some(4.into()));

    let updates = pathway_io::testing::collect(Cats)?;
    let rows: Vec<&Cat> = updates.iter().filter(|update| update.diff > 0).map(|update| &update.row).collect();
    assert!(rows.iter().any(|row| row.eyes == Some(Color(1)) && row.teeth.is_none()));
    assert!(rows.iter().any(|row| row.handle == Handle(3) && row.legs == Even(6) && row.eyes.is_none()));
    assert_eq!(rows[0].key(), Color(0xff_00_00));
    let copy = rows[0].clone();
    assert!(&copy == rows[0] && copy <= *rows[0]);

    let directory = std::env::temp_dir();
    let (table, lines) = (directory.join("ui-foreign.csv"), directory.join("ui-foreign.jsonl"));
    let pipeline = pathway_io::Pipeline::new();
    let cats = pipeline.read(Cats);
    csv::write(&cats, &table);
    jsonlines::write(&cats, &lines);
    pipeline.run()?;
    let (table, lines) = (std::fs::read_to_string(&table).unwrap(), std::fs::read_to_string(&lines).unwrap());
    assert!(table.starts_with("collar,handle,legs,eyes,teeth,time,diff\n"), "{table}");
    assert!(table.contains("\n#ff0000,1,2,#000001,,"), "{table}");
    assert!(table.contains("\n#00ff00,3,6,,,"), "{table}");
    assert!(lines.contains(r##"{"collar":"#00ff00","handle":3,"legs":6,"eyes":null,"teeth":null"##), "{lines}");
    Ok(())
}
