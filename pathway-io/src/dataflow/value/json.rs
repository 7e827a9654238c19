//! Fields under `#[schema(json)]`: what they are is their JSON text, as in the column that holds them.

use std::cmp::Ordering;
use std::fmt::{self, Debug, DebugStruct};
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{SerializeTuple, Serializer};

use super::{Values, View};
use crate::column::any_json::{Json, JsonType, SerdeBuffer};

/// # Panics
///
/// If the type's own `Serialize` fails, or a map has keys that are no texts: as where such a value is pushed.
fn text<T: JsonType>(value: &T) -> String {
    match serde_json::to_string(value) {
        Ok(text) => text,
        Err(error) => panic!("a `{}` cannot be written as JSON: {error}", std::any::type_name::<T>()),
    }
}

/// # Panics
///
/// If the type does not read what it has written.
fn copy<T: JsonType>(value: &T) -> T {
    let text = text(value);
    match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(error) => {
            let name = std::any::type_name::<T>();
            panic!("a `{name}` does not read back from the JSON that it was written as: {error}: {text}")
        }
    }
}

/// Null comes first, as it does in other columns.
fn order(a: &str, b: &str) -> Ordering {
    (a != "null").cmp(&(b != "null")).then_with(|| a.cmp(b))
}

/// A text, as it is.
struct AsIs(String);

impl Debug for AsIs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: JsonType> Values<Json<T>> for SerdeBuffer<T> {
    fn clone(value: &Json<T>) -> Json<T> {
        Json(copy(&value.0))
    }

    fn compare(a: &Json<T>, b: &Json<T>) -> Ordering {
        order(&text(&a.0), &text(&b.0))
    }

    fn hash<H: Hasher>(value: &Json<T>, state: &mut H) {
        text(&value.0).hash(state);
    }

    fn debug(value: &Json<T>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(&value.0))
    }

    fn serialize<Z: Serializer>(value: &Json<T>, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_str(&text(&value.0))
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Json<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map(Json).map_err(D::Error::custom)
    }
}

macro_rules! view {
    ($(#[$doc:meta])* $view:ident, $make:ident, $field:ty, $row:ty, |$value:ident| $to_row:expr) => {
        $(#[$doc])*
        pub struct $view<'a, T>(&'a $field);

        $(#[$doc])*
        pub fn $make<T>(value: &$field) -> $view<'_, T> {
            $view(value)
        }

        impl<T: JsonType> View for $view<'_, T> {
            type Row = $row;
            const LEN: usize = 1;

            fn to_row(&self) -> Self::Row {
                let $value = self.0;
                $to_row
            }

            fn compare(&self, other: &Self) -> Ordering {
                order(&text(self.0), &text(other.0))
            }

            fn hash<H: Hasher>(&self, state: &mut H) {
                text(self.0).hash(state);
            }

            fn debug(&self, names: &'static [&'static str], f: &mut DebugStruct<'_, '_>) {
                f.field(names[0], &AsIs(text(self.0)));
            }

            fn serialize<Z: SerializeTuple>(&self, tuple: &mut Z) -> Result<(), Z::Error> {
                tuple.serialize_element(&super::As::<_, <$row as crate::column::ColumnType>::Buffer>::new(&self.to_row()))
            }
        }
    };
}

view! {
    /// A field of any type of serde's.
    JsonView, json, T, Json<T>, |value| Json(copy(value))
}

view! {
    /// The same, which may be null.
    JsonOptionView, json_option, Option<T>, Option<Json<T>>, |value| value.as_ref().map(|value| Json(copy(value)))
}
