//! Fields under `#[schema(json)]`: they are compared, hashed and sent as their JSON text, like the column that holds
//! them.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt::{self, DebugStruct};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{SerializeTuple, Serializer};

use super::{ColumnForm, Values, View};
use crate::rows::column::ColumnType;
use crate::rows::column::any_json::{Json, JsonType, SerdeBuffer};
use crate::rows::fields::Field;

/// Returns the JSON text of a value.
///
/// # Panics
///
/// Panics if the type's own `Serialize` fails, or if a map has keys that are not strings. Pushing such a value panics
/// as well.
fn text<T: JsonType>(value: &T) -> String {
    match serde_json::to_string(value) {
        Ok(text) => text,
        Err(error) => panic!("a `{}` cannot be written as JSON: {error}", std::any::type_name::<T>()),
    }
}

/// Copies a value by writing and reading its JSON.
///
/// # Panics
///
/// Panics if the type cannot read the JSON that it has written.
fn copy<T: JsonType>(value: &T) -> T {
    let text = text(value);
    match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(error) => {
            let name = std::any::type_name::<T>();
            panic!("cannot read a `{name}` from the JSON that it wrote: {error}: {text}")
        }
    }
}

/// Compares two JSON texts. Null comes first, as in other columns.
fn order(a: &str, b: &str) -> Ordering {
    (a != "null").cmp(&(b != "null")).then_with(|| a.cmp(b))
}

/// Returns the field that the macro passed as `dyn Any`, which hides its type from the macro's code.
fn field<T: 'static>(field: &dyn Any) -> &T {
    field.downcast_ref().expect("the column has the field's type")
}

impl<T: JsonType> Values<Json<T>> for SerdeBuffer<T> {
    fn field_text(shown: &dyn Any) -> String {
        text::<T>(field(shown))
    }

    fn of_field(shown: Option<&dyn Any>) -> Json<T> {
        Json(copy::<T>(field(shown.expect("only a field of type `Option` is null"))))
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

/// A field of a type with serde's traits, or an `Option` of one, where `None` is null.
///
/// The type names the field and not the field's type, like the tree of [`Fields`](crate::rows::fields::Fields). For
/// this reason, a type without serde's traits causes no second compile error here.
pub struct JsonView<'a, S, const I: usize> {
    field: Option<&'a dyn Any>,
    row: PhantomData<fn() -> S>,
}

/// Returns a view of the `I`th field.
pub fn json<S: Field<I>, const I: usize, T: 'static>(field: &T) -> JsonView<'_, S, I> {
    JsonView { field: Some(field), row: PhantomData }
}

/// Returns a view of the `I`th field, which may be null.
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
        f.field(names[0], &format_args!("{}", self.text()));
    }

    fn serialize<Z: SerializeTuple>(&self, tuple: &mut Z) -> Result<(), Z::Error> {
        tuple.serialize_element(&ColumnForm::<_, ColumnOf<S, I>>::new(&self.to_row()))
    }
}
