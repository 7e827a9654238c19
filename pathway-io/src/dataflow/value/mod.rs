//! What `#[schema(dataflow)]` gives a row: the traits that the engine asks for, column by column.
//!
//! The macro emits one body that shows the fields, [`Shown::view`], and for each trait a line that calls a function of
//! this module. What a column's type does is in [`Values`], implemented for the buffer that the type names, since that
//! is where each family of types is one. Columns are compared, hashed and told apart as everywhere else: floats by their
//! bits, in the total order; a `json` column by its text.
//!
//! The form for serde is a tuple of the columns, for sending rows from one worker to another.

mod any_json;
mod json;
mod map;
mod nested;
mod number;
mod own;
mod row;
mod text;

pub use any_json::{JsonView, json, json_option};
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
pub use crate::rows::fields::{Fields, Pair, RowOf};

/// A value that is shown and sent as its column's values are.
struct As<'a, T, B>(&'a T, PhantomData<fn(B)>);

impl<'a, T, B> As<'a, T, B> {
    fn new(value: &'a T) -> Self {
        As(value, PhantomData)
    }
}

impl<T, B: Values<T>> Debug for As<'_, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        B::debug(self.0, f)
    }
}

impl<T, B: Values<T>> Serialize for As<'_, T, B> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        B::serialize(self.0, serializer)
    }
}

/// A value that comes as its column's values do.
struct Came<T, B>(T, PhantomData<fn(B)>);

impl<'de, T, B: Values<T>> Deserialize<'de> for Came<T, B> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Came(B::deserialize(deserializer)?, PhantomData))
    }
}
