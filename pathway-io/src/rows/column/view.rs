//! A column of a batch that is read as a column of another schema: [`ColumnView`].
//!
//! A value of the same Rust type is taken from the buffer. A value of another type that can hold it, such as an `i64`
//! for an `i32`, is read from its JSON.

use std::any::Any;
use std::panic::resume_unwind;

use foldhash::fast::FoldHasher;

use super::strict::JsonFault;
use super::{Buffer, ColumnType, Style};

/// A type-erased [`Buffer`].
#[doc(hidden)]
pub trait AnyBuffer: Any {
    /// Appends the JSON form of a value.
    fn write_value(&self, row: usize, out: &mut Vec<u8>);
    fn hash_value(&self, row: usize, state: &mut FoldHasher<'_>);
    /// Returns whether two values are the same, floats by their bits.
    fn equal_values(&self, row: usize, other_row: usize) -> bool;
}

impl<B: Buffer> AnyBuffer for B {
    fn write_value(&self, row: usize, out: &mut Vec<u8>) {
        self.write_json(row, Style::Exact, out);
    }

    fn hash_value(&self, row: usize, state: &mut FoldHasher<'_>) {
        self.hash(row, state);
    }

    fn equal_values(&self, row: usize, other_row: usize) -> bool {
        self.equal(row, self, other_row)
    }
}

/// The buffer of a column, with names for errors.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct ColumnView<'a> {
    pub(crate) name: &'static str,
    /// The name of the schema that the column belongs to.
    pub(crate) schema: &'static str,
    /// The name of the schema that reads the column.
    pub(crate) reader: &'static str,
    pub(crate) buffer: &'a dyn AnyBuffer,
}

impl ColumnView<'_> {
    /// Returns a value.
    ///
    /// # Panics
    ///
    /// Panics if the value has a different type, and `T` cannot hold it.
    #[inline]
    pub(crate) fn get<T: ColumnType>(&self, row: usize) -> T {
        let buffer: &dyn Any = self.buffer;
        match buffer.downcast_ref::<T::Buffer>() {
            Some(buffer) => buffer.get(row),
            None => self.convert(row),
        }
    }

    #[cold]
    fn convert<T: ColumnType>(&self, row: usize) -> T {
        let mut json = Vec::new();
        self.buffer.write_value(row, &mut json);
        let text = String::from_utf8_lossy(&json);
        let mut converted = T::Buffer::default();
        match converted.decode(&mut serde_json::Deserializer::from_str(&text)) {
            Ok(()) => converted.get(0),
            // `resume_unwind` writes nothing to stderr, because this is an error in the data, and not in the program.
            Err(error) => {
                let reason = JsonFault::of(&text, &error).into_reason();
                let ColumnView { name, schema, reader, .. } = self;
                resume_unwind(Box::new(format!("cannot read column `{name}` of `{schema}` for `{reader}`: {reason}")))
            }
        }
    }
}
