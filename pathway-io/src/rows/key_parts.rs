//! A primary key as the values of its columns.
//!
//! The values are type-erased, so that the derive generates one method for the key, and none for each column. This
//! saves compile time.

use std::any::Any;
use std::slice;

/// The values of the key columns in their order, each an `Option` of the column's type.
#[doc(hidden)]
pub type KeyParts<'a> = slice::IterMut<'a, &'a mut dyn Any>;

/// Passes the parts of a key to `take`.
#[doc(hidden)]
pub fn pass_parts<'a>(parts: &'a mut [&'a mut dyn Any], take: &mut dyn FnMut(KeyParts<'a>)) {
    take(parts.iter_mut());
}

/// Returns the next part of a key. The macro passes the parts of all key columns, in their order.
pub(crate) fn take_part<T: 'static>(parts: &mut KeyParts<'_>) -> T {
    let part = parts.next().and_then(|part| part.downcast_mut::<Option<T>>()).and_then(Option::take);
    part.expect("a key has a part for each of its columns")
}
