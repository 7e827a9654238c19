//! The common part of values of a fixed size that are strings in JSON, such as dates.
//!
//! The string in JSON is the text of CSV in quotes, since none of these texts contains a character to escape.

use std::hash::Hash;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

use crate::rows::column::mismatch::{ExpectedType, mismatch, refuse, shorten};
use crate::rows::column::number::{Fixed, whole};
use crate::rows::column::{ColumnType, Style};

/// The reason why a text is not a value, which the error appends to the text. It is empty if naming the expected form
/// is enough.
pub(super) type TextFault = &'static str;

/// The text does not have the form that the error names.
pub(super) const FORM: TextFault = "";

/// A value of a fixed size with a text form, which must not contain quotes, backslashes, commas or line breaks.
pub trait TextForm: ColumnType + Copy {
    /// See [`Fixed::Identity`].
    type Identity: Eq + Hash;
    /// See [`Fixed::PLACEHOLDER`].
    const PLACEHOLDER: Self;

    fn identity(self) -> Self::Identity;
    /// Returns the value that its text reads back as, without anything that the text lacks.
    #[must_use]
    #[inline]
    fn canonical(self) -> Self {
        self
    }
    /// Returns the description of a valid text, for the error about another one.
    fn expected() -> String {
        ExpectedType(Self::DATA_TYPE).to_string()
    }
    fn parse(text: &str) -> Result<Self, &'static str>;
    /// Reads the value from an integer in JSON, if the type accepts integers.
    #[inline]
    fn of_integer(_integer: i128) -> Option<Self> {
        None
    }
    fn write(self, style: Style, out: &mut Vec<u8>);
}

/// Makes types column and key types by their text forms. Each line has the type, its `DataType`, a placeholder, the
/// functions that parse and write a text, and for some types the function of [`TextForm::canonical`] and the text of
/// [`TextForm::expected`].
macro_rules! text_forms {
    ($(
        $type:ty, $data_type:ident, $placeholder:expr, $parse:expr, $write:expr
        $(, canonical $canonical:expr)? $(, expected $expected:literal)?;
    )*) => {
        $(
            $crate::rows::column::column_type!(
                $type,
                $crate::rows::column::number::NumberBuffer<$type>,
                $crate::rows::data_type::DataType::$data_type;
                NotNull
            );

            #[diagnostic::do_not_recommend]
            impl $crate::rows::column::KeyType for $type {
                fn canonical(self) -> Self {
                    TextForm::canonical(self)
                }
            }

            impl $crate::rows::column::others::text_form::TextForm for $type {
                type Identity = Self;
                const PLACEHOLDER: Self = $placeholder;

                #[inline]
                fn identity(self) -> Self {
                    self.canonical()
                }

                $(
                    #[inline]
                    fn canonical(self) -> Self {
                        $canonical(self)
                    }
                )?

                $(
                    fn expected() -> String {
                        $expected.to_owned()
                    }
                )?

                fn parse(text: &str) -> Result<Self, $crate::rows::column::others::text_form::TextFault> {
                    $parse(text)
                }

                fn write(self, style: $crate::rows::column::Style, out: &mut Vec<u8>) {
                    $write(self, style, out);
                }
            }
        )*
    };
}
pub(super) use text_forms;

impl<T: TextForm> Fixed for T {
    type Identity = <T as TextForm>::Identity;
    const PLACEHOLDER: T = <T as TextForm>::PLACEHOLDER;

    #[inline]
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(TextFormVisitor(PhantomData))
    }

    #[inline]
    fn identity(self) -> Self::Identity {
        TextForm::identity(self)
    }

    #[inline]
    fn write_text(self, style: Style, out: &mut Vec<u8>) {
        self.write(style, out);
    }

    #[inline]
    fn write_json(self, style: Style, out: &mut Vec<u8>) {
        out.push(b'"');
        self.write(style, out);
        out.push(b'"');
    }
}

struct TextFormVisitor<T>(PhantomData<T>);

impl<T: TextForm> TextFormVisitor<T> {
    fn integer<E: Error>(integer: i128, found: Unexpected<'_>) -> Result<T, E> {
        T::of_integer(integer).ok_or_else(|| mismatch(T::DATA_TYPE, found))
    }
}

impl<'de, T: TextForm> Visitor<'de> for TextFormVisitor<T> {
    type Value = T;

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::parse(text).map_err(|fault| wrong_text::<T, E>(text, fault))
    }

    fn visit_u64<E: Error>(self, found: u64) -> Result<T, E> {
        Self::integer(found.into(), Unexpected::Unsigned(found))
    }

    fn visit_i64<E: Error>(self, found: i64) -> Result<T, E> {
        Self::integer(found.into(), Unexpected::Signed(found))
    }

    fn visit_f64<E: Error>(self, found: f64) -> Result<T, E> {
        match whole(found) {
            Some(integer) => Self::integer(integer.into(), Unexpected::Float(found)),
            None => Err(mismatch(T::DATA_TYPE, Unexpected::Float(found))),
        }
    }

    refuse!(T::DATA_TYPE; bool unit seq map);
}

#[cold]
#[inline(never)]
fn wrong_text<T: TextForm, E: Error>(text: &str, fault: TextFault) -> E {
    let (expected, found) = (T::expected(), shorten(text));
    let colon = if fault.is_empty() { "" } else { ": " };
    E::custom(format_args!("expected {expected}, found the string {found}{colon}{fault}"))
}
