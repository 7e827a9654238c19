//! One JSON object becomes one row of the typed columns.
//!
//! Nearly all rows are scanned (`scanned.rs`, `column::scan`). If the scan gives up, serde_json reads the row from its
//! start and reports the error. Both write each value straight from the text into its column's buffer, without a tree
//! of values, a struct or a `String`. A row is accepted as a whole or not at all: after an error, the columns are
//! truncated to the rows before it.

#[cfg(all(any(test, fuzzing), feature = "persist", feature = "infer"))]
pub(crate) mod fuzz;
mod names;
mod nested;
mod scanned;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::rows::column::mismatch;
use crate::rows::column::strict::split_place;
use crate::rows::description::{Column, RESERVED, TableSchema};
use crate::rows::fields::Columns;
use crate::rows::position;
use crate::rows::refusal;
use crate::rows::schema::{ColumnsOf, Schema};
use crate::run::error::row_error::RowError;

use nested::{FieldKind, Nested};

pub(crate) use names::Seen;

/// Appends the row in `text` to `columns`, which have `len` rows.
///
/// # Errors
///
/// Returns an error if `text` is not one JSON object of the schema. The columns are then as they were, and `seen` has
/// the bytes that they had with the part of the row that was read.
pub(crate) fn decode_json<S: Schema>(
    columns: &mut ColumnsOf<S>,
    len: usize,
    text: &[u8],
    seen: &mut Seen,
) -> Result<(), RowError> {
    let text = utf8(text)?;
    let scanned =
        const { can_scan(S::SCHEMA.columns) } && seen.tries_scan() && scanned::scan::<S>(columns, len, text, seen);
    seen.note_scan(scanned);
    if scanned { Ok(()) } else { parse_text::<S>(columns, len, text, seen) }
}

/// Returns whether the scan can compare the names of the columns with the text of a row. It cannot if a name or an
/// alias must be escaped in JSON.
const fn can_scan(columns: &[Column]) -> bool {
    let mut i = 0;
    while i < columns.len() {
        if !is_plain(columns[i].name) {
            return false;
        }
        let mut alias = 0;
        while alias < columns[i].aliases.len() {
            if !is_plain(columns[i].aliases[alias]) {
                return false;
            }
            alias += 1;
        }
        i += 1;
    }
    true
}

/// Returns whether a name is the same in JSON.
const fn is_plain(name: &str) -> bool {
    let name = name.as_bytes();
    let mut at = 0;
    while at < name.len() {
        if name[at] < b' ' || name[at] == b'"' || name[at] == b'\\' {
            return false;
        }
        at += 1;
    }
    true
}

/// The byte order mark, which some programs put at the start of a file.
const MARK: char = '\u{feff}';

/// Returns a line without a byte order mark at its start. Any line can have one, because a source can read several
/// files.
pub(crate) fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// Checks the row as a whole, instead of each string in it.
#[inline]
fn utf8(text: &[u8]) -> Result<&str, RowError> {
    simdutf8::compat::from_utf8(text)
        .map_err(|error| RowError::new("the text is not valid UTF-8").at_position(Some(error.valid_up_to())))
}

/// Appends a row that the library has written, in which every column has its own name. It does not scan.
pub(crate) fn parse_stored<S: Schema>(
    columns: &mut ColumnsOf<S>,
    len: usize,
    text: &[u8],
    seen: &mut Seen,
) -> Result<(), RowError> {
    seen.is_stored = true;
    let parsed = utf8(text).and_then(|text| parse_text::<S>(columns, len, text, seen));
    seen.is_stored = false;
    parsed
}

fn parse_text<S: Schema>(columns: &mut ColumnsOf<S>, len: usize, text: &str, seen: &mut Seen) -> Result<(), RowError> {
    match text.strip_prefix(MARK) {
        Some(row) => parse_row::<S>(columns, len, row, seen).map_err(|error| error.moved_by(MARK.len_utf8())),
        None => parse_row::<S>(columns, len, text, seen),
    }
}

fn parse_row<S: Schema>(columns: &mut ColumnsOf<S>, len: usize, text: &str, seen: &mut Seen) -> Result<(), RowError> {
    if text.trim_ascii().is_empty() {
        return Err(RowError::new("the line is blank").at_position(Some(text.len())));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    seen.start(ColumnsOf::<S>::WIDTH);
    let read = deserializer.deserialize_any(ObjectVisitor::<S> { columns, seen }).and_then(|()| deserializer.end());
    finish_row::<S>(columns, len, seen, read, Some(text))
}

/// Decodes a row from parsed JSON. Its errors have no position.
pub(crate) fn decode_value<S: Schema>(
    columns: &mut ColumnsOf<S>,
    len: usize,
    value: &Value,
    seen: &mut Seen,
) -> Result<(), RowError> {
    seen.start(ColumnsOf::<S>::WIDTH);
    let read = value.deserialize_any(ObjectVisitor::<S> { columns, seen });
    finish_row::<S>(columns, len, seen, read, None)
}

/// Fills in the columns that the row lacks, or removes the values of a row that is refused.
#[inline]
fn finish_row<S: Schema>(
    columns: &mut ColumnsOf<S>,
    len: usize,
    seen: &mut Seen,
    read: serde_json::Result<()>,
    text: Option<&str>,
) -> Result<(), RowError> {
    let result = match read {
        Ok(()) => fill_missing::<S>(columns, seen),
        Err(error) => Err(explain(S::SCHEMA, seen, &error, text)),
    };
    if result.is_err() {
        seen.refused_bytes = columns.bytes();
        columns.truncate(len);
    }
    result
}

#[inline]
fn fill_missing<S: Schema>(columns: &mut ColumnsOf<S>, seen: &Seen) -> Result<(), RowError> {
    for index in seen.missing() {
        if !refusal::fill::<S>(columns, index) {
            let column = &S::SCHEMA.columns[index];
            let reason = if column.path.is_empty() || seen.is_stored {
                "missing".to_owned()
            } else {
                format!("missing at `{}`", column.path)
            };
            return Err(RowError::new(reason).at_column(Some(column.name)));
        }
    }
    Ok(())
}

/// Rewords an error of serde_json in the library's own form, which names the column and the position in the row's text.
#[cold]
fn explain(schema: &'static TableSchema, seen: &Seen, error: &serde_json::Error, text: Option<&str>) -> RowError {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let (reason, place_within) = split_place(message.strip_suffix(&place).unwrap_or(&message));
    let mut reason = match reason.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let found = match found {
                "sequence" => "a list",
                "map" => "an object",
                found => found,
            };
            format!("expected {expected}, found {found}")
        }
        None => match reason {
            "trailing characters" if seen.current.is_none() => {
                "text after the end of the object; `next_json_lines` takes one object per line".to_owned()
            }
            reason => plain_reason(reason),
        },
    };
    let column = seen.current.map(|index| &schema.columns[index]);
    if let Some(nested) = column.filter(|_| seen.nested) {
        reason.push_str(&format!(", at `{}`", nested.path));
    }
    let position = text.map(|text| {
        // The fault may be inside the JSON of a column, which has been read as a whole.
        let within = place_within.and_then(|(at, len)| Some(position::start_of_value(text, error, len)? + at));
        within.unwrap_or_else(|| position::position(text, error))
    });
    RowError::new(reason).at_column(column.map(|column| column.name)).at_position(position)
}

/// Replaces serde_json's terms in the reason of a syntax error.
pub(crate) fn plain_reason(reason: &str) -> String {
    match reason {
        "expected ident" | "expected value" => "expected a JSON value".to_owned(),
        "key must be a string" => "expected a name in double quotes".to_owned(),
        reason => reason.replacen("EOF while", "the text ends while", 1),
    }
}

/// Reads a whole object.
struct ObjectVisitor<'a, S: Schema> {
    columns: &'a mut ColumnsOf<S>,
    seen: &'a mut Seen,
}

impl<'de, S: Schema> Visitor<'de> for ObjectVisitor<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the columns of `{}`", S::SCHEMA.name)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key_seed(FieldName::<S> { seen: self.seen, schema: PhantomData })? {
            match field {
                FieldKind::Column(index) => {
                    map.next_value_seed(ColumnSeed { columns: self.columns, index })?;
                    // An error after the value does not belong to the column.
                    self.seen.current = None;
                }
                FieldKind::Nested(place) => {
                    map.next_value_seed(Nested::<S> { columns: self.columns, seen: self.seen, place })?;
                    self.seen.current = None;
                }
                FieldKind::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads the value of a column.
struct ColumnSeed<'a, C> {
    columns: &'a mut C,
    index: usize,
}

impl<'de, C: Columns> DeserializeSeed<'de> for ColumnSeed<'_, C> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.columns.decode(self.index, deserializer)
    }
}

/// Reads the name of a field. serde_json has unescaped the text, so that `"\u006bey"` is `key`.
struct FieldName<'a, S> {
    seen: &'a mut Seen,
    schema: PhantomData<fn() -> S>,
}

impl<'de, S: Schema> DeserializeSeed<'de> for FieldName<'_, S> {
    type Value = FieldKind;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FieldKind, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<S: Schema> Visitor<'_> for FieldName<'_, S> {
    type Value = FieldKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a column")
    }

    #[inline]
    fn visit_str<E: Error>(self, name: &str) -> Result<FieldKind, E> {
        let found = self.seen.find(S::SCHEMA, name);
        self.seen.current = found;
        match found {
            Some(index) if self.seen.mark(index) => Ok(FieldKind::Column(index)),
            // A sink wrote the row, and the schema has the alias `time` or `diff`.
            Some(_) if RESERVED.contains(&name) => {
                self.seen.current = None;
                Ok(FieldKind::Unknown)
            }
            Some(_) => Err(E::custom("given twice")),
            None => {
                if let Some(place) = nested::root::<S>(name).filter(|_| !self.seen.is_stored) {
                    return Ok(FieldKind::Nested(place));
                }
                // A row that a sink wrote has these fields, too, and must be accepted.
                if S::SCHEMA.deny_unknown && !RESERVED.contains(&name) {
                    Err(E::custom(unknown(S::SCHEMA, name)))
                } else {
                    Ok(FieldKind::Unknown)
                }
            }
        }
    }
}

#[cold]
fn unknown(schema: &TableSchema, name: &str) -> String {
    let mut reason = format!("`{}` has no column {}", schema.name, mismatch::shorten(name));
    if let Some(close) = names::did_you_mean(schema, name) {
        reason.push_str(&format!(", did you mean `{close}`?"));
    }
    reason
}

#[cfg(test)]
mod tests;
