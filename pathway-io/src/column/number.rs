//! Numbers and `bool`: a `Vec` of them.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::{Buffer, ColumnType, KeyType, NotNull};
use super::list::ListBuffer;
use crate::schema::DataType;

/// Values of a fixed size, side by side.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct NumberBuffer<T>(Vec<T>);
