//! `#[schema(with = "..")]` and `#[schema(try_from = "..", into = "..")]`: fields of a foreign type, stored as values
//! of a column type.
//!
//! The macro implements [`Conversion`] for the row, once for each such field. The column's type is then [`Converted`],
//! which names the field by its row and number, and not by its type. A type that does not convert therefore causes one
//! error, in the macro's impl, at the user's tokens.

use std::fmt::Display;

use super::list::ListBuffer;
use super::represented::{Represented, RepresentedBuffer, is_inner_null};
use super::{ColumnType, KeyType, NotNull};
use crate::rows::data_type::DataType;

/// The `I`th field of a row, which is stored as another type.
#[doc(hidden)]
pub trait ConvertedField<const I: usize>: 'static {
    /// The type of the field; for a field of type `Option<T>` it is `T`. It must be `Send` and `Sync`. Only
    /// [`Converted`] has this bound, because a bound here would cause further errors.
    type Field: 'static;
    type Column: ColumnType;
    /// [`ByTraits`], or another type for which the macro implements [`Conversion`].
    type By;
    /// The name of the field's type, with its article.
    const EXPECTED: &'static str;
}

/// The conversions of the `I`th field of a row.
#[doc(hidden)]
pub trait Conversion<const I: usize>: ConvertedField<I> {
    fn to_column(field: &Self::Field) -> Self::Column;
    fn into_column(field: Self::Field) -> Self::Column {
        Self::to_column(&field)
    }
    /// # Errors
    ///
    /// Returns the reason why the column's value does not convert.
    fn from_column(column: Self::Column) -> Result<Self::Field, String>;
}

/// A type that the traits of the standard library convert to the column type `C` and back.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as `{C}`",
    label = "`{Self}` needs `Clone`, `Into<{C}>` and `TryFrom<{C}>`",
    note = "the error of the `TryFrom` must implement `Display`: it becomes the reason of the bad row",
    note = "for a type of another crate, write functions in a module and name it: `#[schema(with = \"module\")]`"
)]
pub trait ConvertsTo<C>: Clone + Into<C> + TryFrom<C, Error: Display> {}

#[diagnostic::do_not_recommend]
impl<F: Clone + Into<C> + TryFrom<C, Error: Display>, C> ConvertsTo<C> for F {}

/// The conversion of a field by the traits of the standard library.
#[doc(hidden)]
pub struct ByTraits;

impl<S, const I: usize> Conversion<I> for S
where
    S: ConvertedField<I, By = ByTraits>,
    S::Field: ConvertsTo<S::Column>,
{
    fn to_column(field: &S::Field) -> S::Column {
        field.clone().into()
    }

    fn into_column(field: S::Field) -> S::Column {
        field.into()
    }

    fn from_column(column: S::Column) -> Result<S::Field, String> {
        S::Field::try_from(column).map_err(|error| error.to_string())
    }
}

/// The return types of a function that reads a field: the field's value, or a `Result` of it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "expected `{F}` or a `Result` of it, found `{Self}`",
    label = "cannot be read as `{F}`",
    note = "the error of the `Result` must implement `Display`: it becomes the reason of the bad row"
)]
pub trait IntoField<F> {
    /// # Errors
    ///
    /// Returns the error's text.
    fn into_field(self) -> Result<F, String>;
}

#[diagnostic::do_not_recommend]
impl<F> IntoField<F> for F {
    fn into_field(self) -> Result<F, String> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<F, E: Display> IntoField<F> for Result<F, E> {
    fn into_field(self) -> Result<F, String> {
        self.map_err(|error| error.to_string())
    }
}

/// Converts the return value of a user's function.
///
/// # Errors
///
/// Returns the error's text.
#[doc(hidden)]
pub fn converted<F, R: IntoField<F>>(returned: R) -> Result<F, String> {
    returned.into_field()
}

/// The value of a converted field, as its column holds it.
#[doc(hidden)]
pub struct Converted<S: ConvertedField<I>, const I: usize>(pub S::Field);

impl<S: Conversion<I, Field: Send + Sync>, const I: usize> Represented for Converted<S, I> {
    type Inner = S::Column;
    const EXPECTED: Option<&'static str> = Some(S::EXPECTED);
    const CAN_REFUSE: bool = true;

    fn into_inner(self) -> S::Column {
        S::into_column(self.0)
    }

    fn with_inner<R>(&self, f: impl FnOnce(&S::Column) -> R) -> R {
        f(&S::to_column(&self.0))
    }

    /// # Panics
    ///
    /// Panics if the conversion cannot read its own output.
    fn restore(inner: S::Column) -> Self {
        match S::from_column(inner) {
            Ok(field) => Converted(field),
            Err(error) => panic!("{} does not read back from its column: {error}", S::EXPECTED),
        }
    }

    /// Converts the value to a field and back, so that equal fields have one stored form.
    fn check(inner: S::Column) -> Result<S::Column, String> {
        S::from_column(inner).map(S::into_column).map_err(|error| format!(": {error}"))
    }
}

impl<S: Conversion<I, Field: Send + Sync>, const I: usize> ColumnType for Converted<S, I> {
    const DATA_TYPE: DataType = S::Column::DATA_TYPE;
    const OPTIONAL: bool = S::Column::OPTIONAL;
    const HAS_PLACEHOLDER: bool = false;
    type Buffer = RepresentedBuffer<Converted<S, I>>;
    type ListBuffer = ListBuffer<RepresentedBuffer<Converted<S, I>>>;
}

impl<S: Conversion<I, Field: Send + Sync, Column: NotNull>, const I: usize> NotNull for Converted<S, I> {
    fn is_null(&self) -> bool {
        is_inner_null(self)
    }
}

impl<S: ConvertedField<I, Field: Clone>, const I: usize> Clone for Converted<S, I> {
    fn clone(&self) -> Self {
        Converted(self.0.clone())
    }
}

impl<S: Conversion<I, Field: Send + Sync + Clone, Column: KeyType>, const I: usize> KeyType for Converted<S, I> {}

/// Returns the value of an `Option` field.
#[doc(hidden)]
#[must_use]
pub fn from_converted_option<S: ConvertedField<I>, const I: usize>(value: Option<Converted<S, I>>) -> Option<S::Field> {
    value.map(|Converted(value)| value)
}

/// Returns a copy of the value of a key's field.
#[doc(hidden)]
#[must_use]
pub fn converted_key<S: ConvertedField<I, Field: Clone>, const I: usize>(field: &S::Field) -> S::Field {
    field.clone()
}
