//! The traits that `#[schema(dataflow)]` implements for a row, column by column.
//!
//! The macro generates one body that exposes the fields, [`Shown::view`], and for each trait one line that calls a
//! function of this module. [`Values`] defines the behaviour of each column type. It is implemented for the buffers,
//! because all types of a family share one buffer. Columns are compared and hashed as everywhere in this library:
//! floats by their bits in total order, a `json` column by its text.
//!
//! The serde form of a row is a tuple of its columns. The engine uses it to send rows from one worker to another.

mod any_json;
mod derived;
mod json;
mod map;
mod nested;
mod number;
mod represented;
mod row;
mod text;

pub use any_json::{JsonView, json, json_option};
pub use represented::{ConvertedView, converted, converted_option};
pub use row::{
    FlatView, LeafView, OwnView, Restored, Shown, View, clone, compare, debug, deserialize, equal, flat, hash, leaf,
    own, serialize,
};
pub use serde::{Deserialize, Deserializer, Serialize, Serializer};
pub use std::clone::Clone;
pub use std::cmp::{Eq, Ord, Ordering, PartialEq, PartialOrd};
pub use std::fmt::{self, Debug};
pub use std::hash::{Hash, Hasher};
pub use std::option::Option::{self, Some};
pub use std::result::Result;

use std::marker::PhantomData;

pub use crate::rows::column::Values;
pub use crate::rows::fields::{Fields, Pair};
pub use crate::rows::schema::RowOf;

/// A value that is formatted and serialized in the form of its column.
struct ColumnForm<'a, T, B>(&'a T, PhantomData<fn(B)>);

impl<'a, T, B> ColumnForm<'a, T, B> {
    fn new(value: &'a T) -> Self {
        ColumnForm(value, PhantomData)
    }
}

impl<T, B: Values<T>> Debug for ColumnForm<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        B::debug(self.0, f)
    }
}

impl<T, B: Values<T>> Serialize for ColumnForm<'_, T, B> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        B::serialize(self.0, serializer)
    }
}

/// A value that is deserialized from the form of its column.
struct FromColumnForm<T, B>(T, PhantomData<fn(B)>);

impl<'de, T, B: Values<T>> Deserialize<'de> for FromColumnForm<T, B> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(FromColumnForm(B::deserialize(deserializer)?, PhantomData))
    }
}
