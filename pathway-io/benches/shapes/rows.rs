//! The shapes. Each has a schema, a function that generates a line, and the struct into which the loop by hand parses
//! it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::common::{Cat, Wide, cat_line, long_line, wide_line};
use crate::{Shape, blocks, by_hand, library};

/// A typical row: three texts, two floats, and an integer that may be missing.
#[derive(pathway_io::Schema)]
struct Visit {
    id: i64,
    name: String,
    city: String,
    note: String,
    latitude: f64,
    longitude: f64,
    age: Option<i64>,
    active: bool,
}

#[derive(Deserialize, Serialize)]
struct VisitByHand<'a> {
    id: i64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    city: Cow<'a, str>,
    #[serde(borrow)]
    note: Cow<'a, str>,
    latitude: f64,
    longitude: f64,
    age: Option<i64>,
    active: bool,
}

#[derive(Deserialize, Serialize)]
struct CatByHand<'a> {
    key: i64,
    #[serde(borrow)]
    genus: Cow<'a, str>,
    #[serde(borrow)]
    epithet: Cow<'a, str>,
}

#[derive(pathway_io::Schema, Deserialize, Serialize)]
struct Floats {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    e: f64,
    f: f64,
    g: f64,
    h: f64,
}

#[derive(pathway_io::Schema, Deserialize, Serialize)]
struct Nested {
    id: i64,
    #[serde(serialize_with = "by_hand::as_json")]
    points: Vec<Vec<i64>>,
    #[serde(serialize_with = "by_hand::as_json")]
    tags: Vec<String>,
}

macro_rules! wide_by_hand {
    ($($name:ident)*) => {
        #[derive(Deserialize, Serialize)]
        struct WideByHand { $($name: i64),* }
    };
}
wide_by_hand!(a0 a1 a2 a3 a4 a5 a6 a7 b0 b1 b2 b3 b4 b5 b6 b7 c0 c1 c2 c3 c4 c5 c6 c7 d0 d1 d2 d3 d4 d5 d6 d7);

/// A shape with the loop for a struct of this type.
macro_rules! shape {
    ($name:literal, $schema:ty, $by_hand:ty, $line:expr) => {
        Shape {
            name: $name,
            line: $line,
            library: library::<$schema>,
            blocks: blocks::<$schema>,
            by_hand: |input, output| {
                by_hand::run(input, output, |line, out| {
                    let row: $by_hand = serde_json::from_str(line)?;
                    by_hand::write(out, &row)
                })
            },
            sonic: |input, output| {
                by_hand::run(input, output, |line, out| {
                    let row: $by_hand = sonic_rs::from_str(line)?;
                    by_hand::write(out, &row)
                })
            },
        }
    };
}

pub const SHAPES: &[Shape] = &[
    shape!("cats", Cat, CatByHand<'_>, cat_line),
    shape!("plain", Visit, VisitByHand<'_>, |n| visit(n, ORDER, ": ", ", ", plain_text)),
    shape!("unicode", Visit, VisitByHand<'_>, |n| visit(n, ORDER, ": ", ", ", escape_non_ascii)),
    shape!("quotes", Visit, VisitByHand<'_>, |n| visit(n, ORDER, ": ", ", ", add_quotes)),
    shape!("unknown", Visit, VisitByHand<'_>, |n| visit(n, &WITH_UNKNOWN, ": ", ", ", plain_text)),
    shape!("shuffled", Visit, VisitByHand<'_>, |n| visit(n, &shuffled(n), ": ", ", ", plain_text)),
    shape!("compact", Visit, VisitByHand<'_>, |n| visit(n, ORDER, ":", ",", plain_text)),
    shape!("floats", Floats, Floats, floats_line),
    shape!("nested", Nested, Nested, nested_line),
    shape!("wide", Wide, WideByHand, wide_line),
    shape!("long", Cat, CatByHand<'_>, long_line),
];

const ORDER: &[&str] = &["id", "name", "city", "note", "latitude", "longitude", "age", "active"];
const WITH_UNKNOWN: [&str; 11] =
    ["id", "meta", "name", "city", "note", "latitude", "longitude", "source", "age", "active", "history"];

const CITIES: [&str; 5] = ["Kraków", "Łódź", "Springfield", "Göteborg", "Porto"];
/// Texts of about 80 bytes each.
const NOTES: [&str; 4] = [
    "seen twice near the old mill, très timide, came back after the rain had stopped",
    "żółty kot z białą łapą, sleeps under the stairs from noon until late evening hours",
    "wears a red collar with a bell; the neighbours call it Müsli and feed it at six",
    "nothing unusual was noted on this visit, weight and temper as on the one before it",
];

fn visit(n: u64, order: &[&str], colon: &str, comma: &str, text: fn(&str) -> String) -> String {
    let fields: Vec<String> = order
        .iter()
        .map(|name| {
            let value = match *name {
                "id" => (n * 7_919).to_string(),
                "name" => text(&format!("visitor {}", n % 977)),
                "city" => text(CITIES[n as usize % 5]),
                "note" => text(NOTES[n as usize % 4]),
                "latitude" => float(n, 90.0),
                "longitude" => float(n + 500, 180.0),
                "age" if n.is_multiple_of(3) => "null".to_owned(),
                "age" => (n % 100).to_string(),
                "active" => n.is_multiple_of(2).to_string(),
                "meta" => format!(r#"{{"version": 3, "tags": ["a", "b{n}"], "at": {{"line": {n}}}}}"#),
                "source" => r#""a field that no column has""#.to_owned(),
                _ => "[1, 2.5, [3, null], \"é\"]".to_owned(),
            };
            format!("\"{name}\"{colon}{value}")
        })
        .collect();
    format!("{{{}}}", fields.join(comma))
}

/// Returns a float with 16 or 17 digits.
fn float(n: u64, range: f64) -> String {
    let part = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1_u64 << 53) as f64;
    format!("{:.17}", (part * 2.0 - 1.0) * range).chars().take(19).collect()
}

fn plain_text(text: &str) -> String {
    format!("\"{text}\"")
}

fn escape_non_ascii(text: &str) -> String {
    let escape =
        |letter: char| if letter.is_ascii() { letter.to_string() } else { format!("\\u{:04x}", u32::from(letter)) };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// Puts the second word in quotes.
fn add_quotes(text: &str) -> String {
    let quoted: Vec<String> = text
        .split(' ')
        .enumerate()
        .map(|(i, word)| if i == 1 { format!("\\\"{word}\\\"") } else { word.to_owned() })
        .collect();
    format!("\"{}\"", quoted.join(" "))
}

/// Returns the fields in another order for each row.
fn shuffled(n: u64) -> Vec<&'static str> {
    let mut order = ORDER.to_vec();
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for i in (1..order.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        order.swap(i, (state >> 33) as usize % (i + 1));
    }
    order
}

fn floats_line(n: u64) -> String {
    let field = |(i, name): (u64, char)| format!("\"{name}\": {}", float(n + i * 125, 1000.0));
    let fields: Vec<String> = (0..).zip("abcdefgh".chars()).map(field).collect();
    format!("{{{}}}", fields.join(", "))
}

fn nested_line(n: u64) -> String {
    format!(
        r#"{{"id": {n}, "points": [[{n}, 2], [3, 4, 5], [], [-6, {}]], "tags": ["new", "t{n}", "żółty"]}}"#,
        n % 1000
    )
}
