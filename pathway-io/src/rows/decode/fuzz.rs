//! Target `next_json`: compares the scan with serde_json, into columns and into a struct, and checks the round trip.

use std::collections::BTreeMap;
use std::time::Duration;

use pathway_derive::Schema;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use crate::rows::column::Style;
use crate::rows::decode::{self, Seen};
use crate::rows::fields::Columns;
use crate::rows::row_writer::RowWriter;
use crate::rows::schema::{ColumnsOf, Schema, row_at};
use crate::run::error::row_error::RowError;

/// Splits an input into several rows at the record separator of RFC 7464, which JSON and most texts do not contain.
pub(crate) fn records(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == 0x1e)
}

/// Every type that the scan knows.
#[derive(Debug, Schema, serde::Deserialize)]
#[schema(crate = crate)]
struct Plain {
    #[serde(deserialize_with = "whole")]
    int: i64,
    #[serde(deserialize_with = "whole")]
    byte: u8,
    flag: bool,
    text: String,
    float: f64,
    single: f32,
    #[serde(default, deserialize_with = "whole_or_null")]
    maybe: Option<i32>,
    note: Option<String>,
}

#[derive(Schema)]
#[schema(crate = crate)]
struct Inner {
    x: i16,
    #[schema(default = 2.5)]
    y: f32,
}

/// Types and options that the scan does not know, beside some that it does.
#[derive(Schema)]
#[schema(crate = crate)]
struct Rich {
    #[schema(primary_key)]
    key: u64,
    #[schema(alias = "family", default = "felis")]
    genus: String,
    list: Vec<Option<i64>>,
    pair: (String, bool),
    triple: Option<[u8; 3]>,
    bytes: Vec<u8>,
    value: Value,
    #[schema(json)]
    map: BTreeMap<String, u8>,
    #[schema(flatten)]
    inner: Inner,
}

/// A row that refuses unknown names, with integers of more than 64 bits.
#[derive(Schema)]
#[schema(crate = crate, deny_unknown)]
struct Strict {
    id: u32,
    nap: Duration,
    #[schema(alias = "time")]
    at: Option<Duration>,
}

/// Decodes several rows into one batch, as a source does.
pub fn next_json(data: &[u8]) {
    decode::<Plain>(data, true);
    decode::<Rich>(data, true);
    // A `Value` cannot hold 128 bits.
    decode::<Strict>(data, false);
    for text in records(data) {
        as_a_struct(text);
    }
}

/// The rows of a batch, and how many there are.
struct Rows<S: Schema> {
    columns: ColumnsOf<S>,
    len: usize,
    seen: Seen,
}

impl<S: Schema> Default for Rows<S> {
    fn default() -> Self {
        Rows { columns: ColumnsOf::<S>::default(), len: 0, seen: Seen::default() }
    }
}

type Decoder<S, T> = fn(&mut ColumnsOf<S>, usize, &T, &mut Seen) -> Result<(), RowError>;

impl<S: Schema> Rows<S> {
    /// Returns the row as it is in the batch, or the error, after which the batch must be unchanged.
    fn decode<T: ?Sized>(&mut self, decoder: Decoder<S, T>, text: &T) -> Result<Vec<u8>, RowError> {
        let before = self.columns.bytes();
        match decoder(&mut self.columns, self.len, text, &mut self.seen) {
            Ok(()) => {
                self.len += 1;
                Ok(self.last(Style::Plain))
            }
            Err(error) => {
                assert_eq!(self.columns.bytes(), before, "a part of a bad row was not removed: {error}");
                Err(error)
            }
        }
    }

    fn last(&self, style: Style) -> Vec<u8> {
        let mut json = Vec::new();
        RowWriter::new::<S>().write_fields(style, &self.columns, self.len - 1, &mut json);
        json.push(b'}');
        json
    }
}

fn decode<S: Schema>(data: &[u8], as_values_too: bool) {
    let [mut scanned, mut parsed, mut again, mut by_value] = std::array::from_fn(|_| Rows::<S>::default());
    for text in records(data) {
        let row = scanned.decode(decode::decode_json::<S>, text);
        let expected = parsed.decode(decode::parse_stored::<S>, text);
        match (&row, &expected) {
            (Ok(row), Ok(expected)) => assert_eq!(show(row), show(expected), "the scan takes it for another row"),
            (Err(error), Err(expected)) => {
                assert_eq!(error.to_string(), expected.to_string());
                assert!(error.position().is_none_or(|at| at <= text.len()), "the place of an error is in the text");
            }
            (row, expected) => panic!("with the scan {}, without it {}", row.is_ok(), expected.is_ok()),
        }
        let Ok(row) = row else { continue };
        let back = again.decode(decode::decode_json::<S>, &row[..]);
        assert_eq!(shown(back), Ok(show(&row)), "what is written reads back as the same");
        let back = again.decode(decode::decode_json::<S>, &scanned.last(Style::Exact)[..]);
        assert_eq!(shown(back), Ok(show(&row)), "what a log holds reads back as the same");
        // Parsing a `Value` fails for a number out of range, even in a field that the schema skips.
        if as_values_too && let Ok(value) = serde_json::from_slice::<Value>(text) {
            let by_value = by_value.decode(decode::decode_value::<S>, &value);
            // The text of the value is compared, because a `Value` has rounded its floats to 64 bits.
            let row = again.decode(decode::decode_json::<S>, value.to_string().as_bytes());
            assert_eq!(shown(by_value), shown(row), "text and value are the same row");
        }
    }
}

/// Reads an integer as JSON Schema does: `1.0`, `1e3` and `-0` are integers. A float from 2^53 on does not count as an
/// integer.
fn whole<'de, D: Deserializer<'de>, T: TryFrom<i128>>(deserializer: D) -> Result<T, D::Error> {
    whole_or_null(deserializer)?.ok_or_else(|| D::Error::custom("null"))
}

fn whole_or_null<'de, D: Deserializer<'de>, T: TryFrom<i128>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else { return Ok(None) };
    let float = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 2_f64.powi(53));
    let whole = number.as_i128().or_else(|| float().map(|float| float as i128));
    whole.and_then(|whole| T::try_from(whole).ok()).map(Some).ok_or_else(|| D::Error::custom("not such an integer"))
}

/// Decodes the text with serde into the same struct.
fn as_a_struct(text: &[u8]) {
    let mut rows = Rows::<Plain>::default();
    let ours = rows.decode(decode::decode_json::<Plain>, text).is_ok().then(|| row_at::<Plain>(&rows.columns, 0));
    // serde also reads a struct from a list, and serde_json accepts any bytes in a skipped field.
    let object = std::str::from_utf8(text).ok().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
    let object = object.filter(|text| !text.trim_start().starts_with('['));
    let theirs = object.and_then(|text| serde_json::from_str::<Plain>(text).ok());
    match (&ours, &theirs) {
        (Some(ours), Some(theirs)) => assert_eq!(format!("{ours:?}"), format!("{theirs:?}")),
        // These are strings in JSON, which serde's floats do not read.
        (Some(ours), None) if !ours.float.is_finite() || !ours.single.is_finite() => {}
        (None, None) => {}
        (ours, theirs) => panic!("ours is {ours:?}, serde's {theirs:?}"),
    }
}

fn shown(row: Result<Vec<u8>, RowError>) -> Result<String, String> {
    row.map(|row| show(&row)).map_err(|error| error.to_string())
}

fn show(json: &[u8]) -> String {
    String::from_utf8(json.to_vec()).expect("JSON is UTF-8")
}

#[cfg(test)]
mod tests;
