//! Enums without fields with `#[derive(ColumnType)]`, stored as the index of the variant. Newtypes are in
//! `represented`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

use super::mismatch::{refuse, shorten};
use super::number::NumberBuffer;
use super::text::write_json_string;
use super::{Buffer, ColumnType, Scalar, Style, delegated};
use crate::rows::data_type::DataType;

/// The bounds of every derived column type.
#[doc(hidden)]
pub trait Item: Send + Sync + 'static {}

impl<T: Send + Sync + 'static> Item for T {}

/// An enum whose variants have no fields.
#[doc(hidden)]
pub trait Variants: Sized + Send + Sync + 'static {
    /// The texts of the variants, in order. There is at least one.
    const NAMES: &'static [&'static str];
    /// Further texts, and the indices of the variants that they are read as.
    const ALIASES: &'static [(&'static str, u16)] = &[];
    /// The index of the variant that is read from any other text.
    const OTHER: Option<u16> = None;

    fn index(&self) -> u16;
    fn of(index: u16) -> Self;
}

/// Variants, by their index in the enum.
#[doc(hidden)]
#[derive(Debug)]
pub struct VariantBuffer<T> {
    indices: NumberBuffer<u16>,
    item: PhantomData<fn() -> T>,
}

impl<T> Default for VariantBuffer<T> {
    fn default() -> Self {
        VariantBuffer { indices: NumberBuffer::default(), item: PhantomData }
    }
}

impl<T: Variants> VariantBuffer<T> {
    #[inline]
    fn text(&self, row: usize) -> &'static str {
        T::NAMES[usize::from(self.indices.get(row))]
    }
}

impl<T: Variants + ColumnType> Buffer for VariantBuffer<T> {
    type Item = T;
    const NEEDS_QUOTES: bool = true;
    delegated!(indices);

    #[inline]
    fn push(&mut self, item: T) {
        self.indices.push(item.index());
    }

    #[inline]
    fn push_placeholder(&mut self) {
        self.indices.push_placeholder();
    }

    #[inline]
    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(VariantVisitor(self))
    }

    #[inline]
    fn get(&self, row: usize) -> T {
        T::of(self.indices.get(row))
    }

    #[inline]
    fn scalar(&self, row: usize) -> Scalar<'_> {
        Scalar::Text(self.text(row))
    }

    #[inline]
    fn write_text(&self, row: usize, _style: Style, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text(row).as_bytes());
    }

    #[inline]
    fn write_json(&self, row: usize, _style: Style, out: &mut Vec<u8>) {
        write_json_string(self.text(row), out);
    }
}

struct VariantVisitor<'a, T>(&'a mut VariantBuffer<T>);

impl<T: Variants> Visitor<'_> for VariantVisitor<'_, T> {
    type Value = ();

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let named = (0u16..).zip(T::NAMES).find(|(_, name)| **name == text).map(|(index, _)| index);
        let by_alias = || T::ALIASES.iter().find(|(alias, _)| *alias == text).map(|(_, index)| *index);
        match named.or_else(by_alias).or(T::OTHER) {
            Some(index) => {
                self.0.indices.push(index);
                Ok(())
            }
            None => Err(unknown(T::NAMES, text)),
        }
    }

    refuse!(DataType::Str; bool integer float unit);
}

#[cold]
#[inline(never)]
fn unknown<E: Error>(names: &'static [&'static str], text: &str) -> E {
    E::custom(format_args!("expected {}, found the string {}", OneOf(names), shorten(text)))
}

/// Displays the allowed texts.
struct OneOf(&'static [&'static str]);

impl fmt::Display for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            let before = match i {
                0 => "",
                _ if i + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            write!(f, "{before}{name:?}")?;
        }
        Ok(())
    }
}
