//! Types that are stored as the values of another column type: other strings, `char`, paths, boxes, sets, and newtypes
//! with `#[derive(ColumnType)]`.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::{Deserializer, Error};

use super::list::ListBuffer;
use super::mismatch::shorten;
use super::scan::Scan;
use super::{Buffer, ColumnType, KeyType, NotNull, Scalar, Style, column_type, delegated};
use crate::rows::data_type::DataType;

/// A type whose values are stored as values of another type.
#[doc(hidden)]
pub trait Represented: Sized + Send + Sync + 'static {
    type Inner: ColumnType;
    /// The name of the values that [`check`](Represented::check) accepts; `None` if it accepts all.
    const EXPECTED: Option<&'static str> = None;
    /// Whether a push panics for some values: [`into_inner`](Represented::into_inner) does, or
    /// [`check`](Represented::check) refuses its result.
    const CAN_REFUSE: bool = false;

    fn into_inner(self) -> Self::Inner;
    /// Calls `f` with the stored form of the value, to compare it or to send it.
    fn with_inner<R>(&self, f: impl FnOnce(&Self::Inner) -> R) -> R;
    /// Returns the value of a stored form. For a placeholder, the value is arbitrary.
    fn restore(inner: Self::Inner) -> Self;
    /// Checks a value that was read, and returns its stored form.
    ///
    /// # Errors
    ///
    /// Returns an error if the type has no such value. The message appends the text to "expected .., found ..".
    fn check(inner: Self::Inner) -> Result<Self::Inner, String> {
        Ok(inner)
    }
}

pub(crate) type InnerBuffer<T> = <<T as Represented>::Inner as ColumnType>::Buffer;

/// The stored forms of the values.
#[doc(hidden)]
pub struct RepresentedBuffer<T: Represented>(InnerBuffer<T>);

impl<T: Represented> Default for RepresentedBuffer<T> {
    fn default() -> Self {
        RepresentedBuffer(InnerBuffer::<T>::default())
    }
}

impl<T: Represented> RepresentedBuffer<T> {
    /// Checks the last value, and returns its stored form, or `None` if the type accepts all values.
    #[inline]
    fn check_last(&self) -> Result<Option<T::Inner>, String> {
        let Some(expected) = T::EXPECTED else { return Ok(None) };
        let row = self.0.len() - 1;
        T::check(self.0.get(row)).map(Some).map_err(|reason| {
            let mut found = Vec::new();
            self.0.write_text(row, Style::Plain, &mut found);
            format!("expected {expected}, found {}{reason}", shorten(&String::from_utf8_lossy(&found)))
        })
    }
}

impl<T: Represented + ColumnType> Buffer for RepresentedBuffer<T> {
    type Item = T;
    const NEEDS_QUOTES: bool = InnerBuffer::<T>::NEEDS_QUOTES;
    const CAN_REFUSE: bool = T::CAN_REFUSE || InnerBuffer::<T>::CAN_REFUSE;
    delegated!(0);

    /// # Panics
    ///
    /// Panics if the stored form of the value cannot be read back. Later it would make the log unreadable or end a
    /// sink.
    #[inline]
    fn push(&mut self, item: T) {
        self.0.push(item.into_inner());
        if T::CAN_REFUSE
            && let Err(error) = self.check_last()
        {
            // The panic is reported with the first column that lacks its value.
            self.0.truncate(self.0.len() - 1);
            panic!("a value does not read back from its column: {error}");
        }
    }

    #[inline]
    fn push_placeholder(&mut self) {
        self.0.push_placeholder();
    }

    #[inline]
    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.0.decode(deserializer)?;
        if let Some(inner) = self.check_last().map_err(D::Error::custom)? {
            self.0.truncate(self.0.len() - 1);
            self.0.push(inner);
        }
        Ok(())
    }

    #[inline]
    fn scan(&mut self, scan: &mut Scan<'_>) -> bool {
        T::EXPECTED.is_none() && self.0.scan(scan)
    }

    #[inline]
    fn get(&self, row: usize) -> T {
        T::restore(self.0.get(row))
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        self.0.is_null(row)
    }

    #[inline]
    fn scalar(&self, row: usize) -> Scalar<'_> {
        self.0.scalar(row)
    }

    #[inline]
    fn write_text(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        self.0.write_text(row, style, out);
    }

    #[inline]
    fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        self.0.write_json(row, style, out);
    }
}

/// Returns whether a newtype contains the null of its inner type.
#[doc(hidden)]
pub fn is_inner_null<T: Represented<Inner: NotNull>>(value: &T) -> bool {
    value.with_inner(NotNull::is_null)
}

/// Types that are stored as a `String`.
macro_rules! texts {
    ($($type:ty, $can_refuse:literal, |$value:ident| $into:expr, |$text:ident| $restore:expr;)*) => {
        $(
            column_type!($type, RepresentedBuffer<$type>, DataType::Str; KeyType NotNull);

            impl Represented for $type {
                type Inner = String;
                const CAN_REFUSE: bool = $can_refuse;

                fn into_inner(self) -> String {
                    let $value = self;
                    $into
                }

                fn with_inner<R>(&self, f: impl FnOnce(&String) -> R) -> R {
                    f(&self.clone().into_inner())
                }

                fn restore($text: String) -> $type {
                    $restore
                }
            }
        )*
    };
}

texts! {
    Box<str>, false, |text| text.into_string(), |text| text.into_boxed_str();
    Arc<str>, false, |text| text.as_ref().to_owned(), |text| text.into();
    Cow<'static, str>, false, |text| text.into_owned(), |text| Cow::Owned(text);
    PathBuf, true, |path| of_path(path), |text| text.into();
}

/// # Panics
///
/// Panics if the path is not UTF-8. A replacement text could be the path of another file.
fn of_path(path: PathBuf) -> String {
    match path.into_os_string().into_string() {
        Ok(text) => text,
        Err(path) => panic!("the path {} is not UTF-8, so it cannot be a column", path.display()),
    }
}

column_type!(char, RepresentedBuffer<char>, DataType::Str; KeyType NotNull);

impl Represented for char {
    type Inner = String;
    const EXPECTED: Option<&'static str> = Some("a single character");

    fn into_inner(self) -> String {
        self.to_string()
    }

    fn with_inner<R>(&self, f: impl FnOnce(&String) -> R) -> R {
        f(&self.to_string())
    }

    fn restore(text: String) -> char {
        text.chars().next().unwrap_or_default()
    }

    fn check(text: String) -> Result<String, String> {
        if text.chars().count() == 1 { Ok(text) } else { Err(String::new()) }
    }
}

impl<T: ColumnType> ColumnType for Box<T> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const OPTIONAL: bool = T::OPTIONAL;
    const HAS_PLACEHOLDER: bool = T::HAS_PLACEHOLDER;
    type Buffer = RepresentedBuffer<Box<T>>;
    type ListBuffer = ListBuffer<RepresentedBuffer<Box<T>>>;
}

#[diagnostic::do_not_recommend]
impl<T: KeyType> KeyType for Box<T> {
    fn canonical(self) -> Self {
        Box::new(T::canonical(*self))
    }
}

impl<T: NotNull> NotNull for Box<T> {
    fn is_null(&self) -> bool {
        T::is_null(self)
    }
}

impl<T: ColumnType> Represented for Box<T> {
    type Inner = T;

    fn into_inner(self) -> T {
        *self
    }

    fn with_inner<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        f(self)
    }

    fn restore(inner: T) -> Box<T> {
        Box::new(inner)
    }
}

/// Sets are stored as their items in order, so that equal sets have one form.
macro_rules! sets {
    ($($set:ident: $($bound:path),*;)*) => {
        $(
            impl<T: KeyType $(+ $bound)*> ColumnType for $set<T> {
                const DATA_TYPE: DataType = T::LIST;
                type Buffer = RepresentedBuffer<$set<T>>;
                type ListBuffer = ListBuffer<RepresentedBuffer<$set<T>>>;
            }

            impl<T: KeyType $(+ $bound)*> NotNull for $set<T> {}

            impl<T: KeyType $(+ $bound)*> Represented for $set<T> {
                type Inner = Vec<T>;
                const EXPECTED: Option<&'static str> = Some("a list");

                fn into_inner(self) -> Vec<T> {
                    let mut items: Vec<T> = self.into_iter().map(T::canonical).collect();
                    items.sort_unstable();
                    items.dedup();
                    items
                }

                fn with_inner<R>(&self, f: impl FnOnce(&Vec<T>) -> R) -> R {
                    f(&self.clone().into_inner())
                }

                fn restore(items: Vec<T>) -> Self {
                    items.into_iter().collect()
                }

                fn check(mut items: Vec<T>) -> Result<Vec<T>, String> {
                    items.sort_unstable();
                    items.dedup();
                    Ok(items)
                }
            }
        )*
    };
}

sets! {
    BTreeSet: Ord;
    HashSet: Ord, Hash;
}
