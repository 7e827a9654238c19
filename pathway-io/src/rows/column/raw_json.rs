//! [`RawJson`]: JSON that is kept as text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

use super::text::TextBuffer;
use super::{Buffer, NotNull, Style, column_type, delegated, strict};
use crate::rows::data_type::DataType;

/// A JSON value that is kept as its text: digits, the order of fields and escapes stay as they were.
///
/// Use it for values that a program passes on without reading them. A `serde_json::Value` is parsed into a tree, in
/// which a number of more than 64 bits loses digits.
///
/// ```
/// use pathway_io::{RawJson, Schema};
///
/// #[derive(Schema)]
/// struct Event {
///     id: u64,
///     payload: RawJson,
/// }
///
/// let payload = RawJson::new(r#"{"price": 0.10, "id": 123456789012345678901234567890}"#)?;
/// assert_eq!(payload.as_str(), r#"{"price": 0.10, "id": 123456789012345678901234567890}"#);
/// assert!(RawJson::new("{").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawJson(String);

impl RawJson {
    /// Checks that the text is one JSON value, and keeps it without the white space around it. A line break within
    /// becomes a space.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not one JSON value, or if it is nested more than 100 levels deep.
    pub fn new(text: impl AsRef<str>) -> serde_json::Result<RawJson> {
        let value: &RawValue = serde_json::from_str(text.as_ref())?;
        strict::check_depth(value.get()).map_err(|fault| serde_json::Error::custom(fault.into_reason()))?;
        Ok(RawJson(one_line(value.get()).into_owned()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text without a copy.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the JSON on one line, as a row must be. A line break can only be between the parts of the JSON, because a
/// string escapes it.
fn one_line(json: &str) -> Cow<'_, str> {
    if json.contains(['\n', '\r']) { Cow::Owned(json.replace(['\n', '\r'], " ")) } else { Cow::Borrowed(json) }
}

/// The texts, one after the other.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct RawJsonBuffer(TextBuffer);

column_type!(RawJson, RawJsonBuffer, DataType::Json);

#[diagnostic::do_not_recommend]
impl NotNull for RawJson {
    fn is_null(&self) -> bool {
        self.0 == "null"
    }
}

impl Buffer for RawJsonBuffer {
    type Item = RawJson;
    const NEEDS_QUOTES: bool = true;
    delegated!(0);

    #[inline]
    fn push(&mut self, item: RawJson) {
        self.0.push(item.0);
    }

    fn push_placeholder(&mut self) {
        self.0.append("null");
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        strict::check_depth(value.get()).map_err(|fault| fault.after::<D::Error>(value.get()))?;
        self.0.append(&one_line(value.get()));
        Ok(())
    }

    #[inline]
    fn get(&self, row: usize) -> RawJson {
        RawJson(self.0.get(row))
    }

    #[inline]
    fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        self.0.write_text(row, style, out);
    }
}
