//! Fields under `#[schema(json)]`: what they are is their JSON text, as in the column that holds them.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt::{self, Debug, DebugStruct};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{SerializeTuple, Serializer};

use super::{As, Values, View};
use crate::rows::column::ColumnType;
use crate::rows::column::any_json::{Json, JsonType, SerdeBuffer};
use crate::rows::fields::Field;

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

/// What the macro has shown, of which it knows no more than that it is the field.
fn field<T: 'static>(field: &dyn Any) -> &T {
    field.downcast_ref().expect("the column is made of the field's type")
}

impl<T: JsonType> Values<Json<T>> for SerdeBuffer<T> {
    fn field_text(shown: &dyn Any) -> String {
        text::<T>(field(shown))
    }

    fn of_field(shown: Option<&dyn Any>) -> Json<T> {
        Json(copy::<T>(field(shown.expect("a field that is no `Option` has a value"))))
    }

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

/// A field of any type of serde's, or `Option` of one; `None` is null.
///
/// It names the field and not its type, as the tree of [`Fields`](crate::rows::fields::Fields) does, and hands the value to
/// what the field's column is: so a type without serde's traits is no further error here.
pub struct JsonView<'a, S, const I: usize> {
    field: Option<&'a dyn Any>,
    row: PhantomData<fn() -> S>,
}

/// Shows the `I`th field.
pub fn json<S: Field<I>, const I: usize, T: 'static>(field: &T) -> JsonView<'_, S, I> {
    JsonView { field: Some(field), row: PhantomData }
}

/// The same where it may be null.
pub fn json_option<S: Field<I>, const I: usize, T: 'static>(field: &Option<T>) -> JsonView<'_, S, I> {
    JsonView { field: field.as_ref().map(|field| field as &dyn Any), row: PhantomData }
}

type ColumnOf<S, const I: usize> = <<S as Field<I>>::Type as ColumnType>::Buffer;

impl<S: Field<I>, const I: usize> JsonView<'_, S, I> {
    fn text(&self) -> String {
        self.field.map_or_else(|| "null".to_owned(), ColumnOf::<S, I>::field_text)
    }
}

impl<S: Field<I>, const I: usize> View for JsonView<'_, S, I> {
    type Row = S::Type;
    const LEN: usize = 1;

    fn to_row(&self) -> S::Type {
        ColumnOf::<S, I>::of_field(self.field)
    }

    fn compare(&self, other: &Self) -> Ordering {
        order(&self.text(), &other.text())
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text().hash(state);
    }

    fn debug(&self, names: &'static [&'static str], f: &mut DebugStruct<'_, '_>) {
        f.field(names[0], &AsIs(self.text()));
    }

    fn serialize<Z: SerializeTuple>(&self, tuple: &mut Z) -> Result<(), Z::Error> {
        tuple.serialize_element(&As::<_, ColumnOf<S, I>>::new(&self.to_row()))
    }
}
