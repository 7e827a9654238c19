//! [`Values`]: the operations that the engine requires of a column's values. Without the feature `dataflow`, there are
//! none.

/// The operations that the engine requires of a column type's values. The engine implements them for the type's buffer.
#[doc(hidden)]
#[cfg(feature = "dataflow")]
pub trait Values<T> {
    fn clone(value: &T) -> T;
    fn compare(a: &T, b: &T) -> std::cmp::Ordering;
    fn hash<H: std::hash::Hasher>(value: &T, state: &mut H);
    fn debug(value: &T, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result;
    /// # Errors
    ///
    /// Returns the errors of the serializer.
    fn serialize<Z: serde::Serializer>(value: &T, serializer: Z) -> Result<Z::Ok, Z::Error>;
    /// # Errors
    ///
    /// Returns an error if the input does not hold a value of this type.
    fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>;

    /// Returns the JSON text of a `json` field, whose column holds another type.
    #[must_use]
    fn field_text(_shown: &dyn std::any::Any) -> String {
        unreachable!("no field of the type is a `json` column")
    }
    /// Returns the column's value for a `json` field.
    #[must_use]
    fn of_field(_shown: Option<&dyn std::any::Any>) -> T {
        unreachable!("no field of the type is a `json` column")
    }
}

/// The engine's requirements on a column type's values. Without the engine there are none.
#[doc(hidden)]
#[cfg(not(feature = "dataflow"))]
pub trait Values<T> {}

#[cfg(not(feature = "dataflow"))]
impl<T, B> Values<T> for B {}
