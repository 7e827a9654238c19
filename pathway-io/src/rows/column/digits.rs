//! Numbers under serde_json's feature `arbitrary_precision`, which any crate of a program can turn on for all of them.
//!
//! A number that is not an integer of 64 bits then arrives as an object with one field, whose value is the number's
//! text. Columns read it as the float that they read without the feature. Without it, all this is removed by the
//! compiler.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

/// Whether the feature is on. If so, a `Number` is a `String`; otherwise it is plain data.
const IS_ON: bool = std::mem::needs_drop::<serde_json::Number>();

/// The name of the field.
const NAME: &str = "$serde_json::private::Number";

/// Returns whether the value after this name is the text of a number.
#[inline]
pub(super) fn is_name(name: &str) -> bool {
    IS_ON && name == NAME
}

/// Reads the first field of an object, and returns the number if the object is one.
#[inline]
pub(super) fn first<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<f64>, A::Error> {
    if IS_ON && map.next_key::<String>()?.is_some_and(|name| is_name(&name)) { value(map).map(Some) } else { Ok(None) }
}

/// Reads the value after the name.
pub(super) fn value<'de, A: MapAccess<'de>>(map: &mut A) -> Result<f64, A::Error> {
    map.next_value_seed(Digits)
}

struct Digits;

impl<'de> DeserializeSeed<'de> for Digits {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Digits {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another name than `{NAME}`")
    }

    /// A string in the JSON itself does not arrive as a `String`, and is refused.
    fn visit_string<E: Error>(self, digits: String) -> Result<f64, E> {
        let number = digits.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<f64, E> {
        Err(E::custom(format_args!("the name `{NAME}` is reserved by serde_json")))
    }
}
