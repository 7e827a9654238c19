//! The rows of a sample, field by field.

use std::collections::HashSet;
use std::fmt;
use std::io;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::csv::CsvReader;
use super::invalid;
use crate::rows::column::strict;
use crate::rows::decode::{plain_reason, without_mark};

/// The value of a field.
#[derive(Debug)]
pub(super) enum Cell<'a> {
    /// The value, and whether it had integers beyond 64 bits, which are floats now.
    Json(&'a Value, bool),
    /// A field of CSV; `None` if it is empty and not in quotes.
    Text(Option<&'a str>),
}

/// Passes each field to `field`, and returns the number of rows. If `is_cut`, the sample continues after `bytes`.
pub(super) fn read(bytes: &[u8], is_cut: bool, field: &mut dyn FnMut(&str, Cell<'_>)) -> io::Result<usize> {
    let bytes = without_mark(bytes);
    let start = bytes.trim_ascii_start();
    if start.starts_with(b"{") {
        json_lines(bytes, is_cut, field)
    } else if start.strip_prefix(b"[").is_some_and(|list| list.trim_ascii_start().starts_with(b"{")) {
        Err(invalid("the sample is a JSON list\nhelp: write one object on each line, as `jq -c '.[]'` does"))
    } else {
        csv(bytes, is_cut, field)
    }
}

fn json_lines(bytes: &[u8], is_cut: bool, field: &mut dyn FnMut(&str, Cell<'_>)) -> io::Result<usize> {
    let mut rows = 0;
    let mut lines = (1..).zip(bytes.split(|byte| *byte == b'\n')).peekable();
    while let Some((number, line)) = lines.next() {
        if is_cut && rows > 0 && lines.peek().is_none() {
            // The last line may be incomplete.
            break;
        }
        let line = without_mark(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let fields: ObjectFields<'_> = serde_json::from_slice(line).map_err(|error| {
            // The error of a skipped value has no exact position.
            let error = serde_json::from_slice::<Value>(line).err().unwrap_or(error);
            if error.is_data() {
                return invalid(format!(
                    "line {number}: expected an object with the columns of a row, one on each line"
                ));
            }
            if error.is_eof() {
                return invalid(format!(
                    "line {number}: the row does not end on its line\n\
                     help: write one object on each line, as `jq -c .` does"
                ));
            }
            let reason = error.to_string();
            let reason = plain_reason(reason.split(" at line ").next().unwrap_or_default());
            invalid(format!("line {number} column {}: {reason}", error.column()))
        })?;
        let mut names = HashSet::new();
        for (name, value) in &fields.0 {
            if !names.insert(name) {
                return Err(invalid(format!("line {number}: `{name}` is given twice")));
            }
            let (value, long) = strict::parse_lossy(value.get()).map_err(|fault| {
                let column = value.get().as_ptr() as usize - line.as_ptr() as usize + fault.at() + 1;
                invalid(format!("line {number} column {column}: {}", fault.into_reason()))
            })?;
            field(name, Cell::Json(&value, long.is_some()));
        }
        rows += 1;
    }
    Ok(rows)
}

/// The fields of an object, in their order.
struct ObjectFields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for ObjectFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = ObjectFields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ObjectFields<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = map.next_entry()? {
            fields.push(entry);
        }
        Ok(ObjectFields(fields))
    }
}

fn csv(bytes: &[u8], is_cut: bool, field: &mut dyn FnMut(&str, Cell<'_>)) -> io::Result<usize> {
    let fault = |fault: super::csv::CsvFault| invalid(format!("line {}: {}", fault.line, fault.reason));
    let mut records = CsvReader::new(bytes, is_cut);
    let Some(header) = records.next() else { return Ok(0) };
    let names: Vec<String> = header.map_err(fault)?.fields.into_iter().map(Option::unwrap_or_default).collect();
    if let [name] = names.as_slice()
        && name.contains([';', '\t', '|'])
    {
        return Err(invalid(format!(
            "the header has one field, {name:?}\nhelp: the fields of a CSV are separated by commas"
        )));
    }
    let mut distinct = HashSet::new();
    if let Some(name) = names.iter().find(|name| !distinct.insert(name.as_str())) {
        return Err(invalid(format!("line 1: the header has `{name}` twice")));
    }
    let mut rows = 0;
    for record in records {
        let record = record.map_err(fault)?;
        if record.fields.len() != names.len() {
            let (line, found, wanted) = (record.line, record.fields.len(), names.len());
            return Err(invalid(format!("line {line}: a record of {found}, where the header has {wanted}")));
        }
        for (name, text) in names.iter().zip(&record.fields) {
            field(name, Cell::Text(text.as_deref()));
        }
        rows += 1;
    }
    Ok(rows)
}
