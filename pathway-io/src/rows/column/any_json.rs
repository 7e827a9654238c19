//! `#[schema(json)]`: a value of any type that serde can read and write, as JSON.
//!
//! The column holds the compact text of each value. Every sink writes this text, and two values are equal if their
//! texts are, so the type needs only serde's traits. A value is parsed each time a row is read from the column. It is
//! also parsed once at the push, to refuse a value that cannot be read back.

use std::any::type_name;
use std::io;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

use super::bytes::BytesBuffer;
use super::list::ListBuffer;
use super::mismatch::shorten;
use super::scan::Scan;
use super::strict::{self, JsonFault};
use super::{Buffer, ColumnType, NotNull, Style, delegated};
use crate::rows::data_type::DataType;

/// A type that a `json` column can have.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a `json` column",
    label = "lacks serde's traits",
    note = "a `json` column is `Serialize`, `DeserializeOwned`, `Send`, `Sync` and `'static`\nhelp: add `#[derive(serde::Serialize, serde::Deserialize)]` to your own type"
)]
pub trait JsonType: Serialize + DeserializeOwned + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> JsonType for T {}

/// A value of a `json` column.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// JSON texts, one after the other.
#[doc(hidden)]
#[derive(Debug)]
pub struct SerdeBuffer<T> {
    texts: BytesBuffer,
    item: PhantomData<fn() -> T>,
}

impl<T> Default for SerdeBuffer<T> {
    fn default() -> Self {
        SerdeBuffer { texts: BytesBuffer::default(), item: PhantomData }
    }
}

impl<T: JsonType> ColumnType for Json<T> {
    const DATA_TYPE: DataType = DataType::Json;
    const HAS_PLACEHOLDER: bool = false;
    type Buffer = SerdeBuffer<T>;
    type ListBuffer = ListBuffer<SerdeBuffer<T>>;
}

impl<T: JsonType> NotNull for Json<T> {
    fn is_null(&self) -> bool {
        let mut start = FirstBytes::default();
        serde_json::to_writer(&mut start, &self.0).is_ok() && start.0 == b"null"
    }
}

/// Accepts the first bytes of a text. A text that is longer than `null` is an error, which ends the writing.
#[derive(Default)]
struct FirstBytes(Vec<u8>);

impl io::Write for FirstBytes {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.0.len() + text.len() > b"null".len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.0.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<T: JsonType> SerdeBuffer<T> {
    /// Appends the text of a value, or returns the reason why it has none. A text that cannot be read back is refused
    /// here, where the error concerns one row. Later it would make the log unreadable or end a sink.
    fn write(&mut self, value: &T) -> Result<(), String> {
        let BytesBuffer { ends, arena, .. } = &mut self.texts;
        let start = arena.len();
        let written = serde_json::to_writer(&mut *arena, value).map_err(|error| error.to_string());
        // A `RawValue` keeps the line breaks between the parts of its JSON, and a row is one line.
        arena[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        let written = written.and_then(|()| reads_back::<T>(&arena[start..]));
        match written {
            Ok(()) => ends.push(arena.len()),
            Err(_) => arena.truncate(start),
        }
        written
    }

    /// Reads a value from a text, and appends it in the form in which the type writes it.
    fn read(&mut self, text: &str) -> Result<(), JsonFault> {
        strict::check(text)?;
        let value = serde_json::from_str(text).map_err(|error| JsonFault::of(text, &error))?;
        self.write(&value).map_err(JsonFault::at_start)
    }
}

fn reads_back<T: JsonType>(text: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    strict::check(text).map_err(JsonFault::into_reason)?;
    match serde_json::from_str::<T>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("the type does not read back what it writes: {error}: {}", shorten(text))),
    }
}

impl<T: JsonType> Buffer for SerdeBuffer<T> {
    type Item = Json<T>;
    const NEEDS_QUOTES: bool = true;
    const CAN_REFUSE: bool = true;
    delegated!(texts);

    /// # Panics
    ///
    /// Panics if the type's own `Serialize` fails, a map has keys that are not strings, or the JSON cannot be read
    /// back.
    fn push(&mut self, item: Json<T>) {
        if let Err(reason) = self.write(&item.0) {
            panic!("a `{}` cannot be written as JSON: {reason}", type_name::<T>());
        }
    }

    fn push_placeholder(&mut self) {
        self.texts.append(b"null");
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        self.read(text.get()).map_err(|fault| fault.after(text.get()))
    }

    fn scan(&mut self, scan: &mut Scan<'_>) -> bool {
        scan.value().is_some_and(|text| self.read(text).is_ok())
    }

    /// # Panics
    ///
    /// Panics if the type cannot read its own output, although it could when the value was pushed.
    fn get(&self, row: usize) -> Json<T> {
        let text = self.texts.slice(row);
        match serde_json::from_slice(text) {
            Ok(value) => Json(value),
            Err(error) => {
                let (name, text) = (type_name::<T>(), String::from_utf8_lossy(text));
                panic!("a `{name}` does not read back from the JSON that it was written as: {error}: {text}")
            }
        }
    }

    #[inline]
    fn write_json(&self, row: usize, _style: Style, out: &mut Vec<u8>) {
        out.extend_from_slice(self.texts.slice(row));
    }
}

/// Returns the value of an optional `json` field. `None` is the null of the column.
#[doc(hidden)]
#[must_use]
pub fn from_json_option<T>(value: Option<Json<T>>) -> Option<T> {
    value.map(|Json(value)| value)
}
