//! [`next!`](crate::rows::next): a row with keyword arguments.
//!
//! The row stays a struct literal with the user's own tokens, so that rustc reports missing, unknown and repeated
//! fields, with its suggestions. Around each value it puts [`convert`]; `..` becomes a base made by [`Rest`].

use crate::rows::const_text::{ConstText, contains, same};
use crate::rows::data_type::DataType;
use crate::rows::description::Column;
use crate::rows::fields::{Columns, Fields};
use crate::rows::schema::{ColumnsOf, Schema, row_at};
use crate::run::error::Closed;

/// Pushes a row with keyword arguments: `next!(subject, Schema { column: value, .. })`.
///
/// It is `subject.next(..)` with three conveniences:
///
/// - Values convert: `&str` to `String`, a slice or an array to a `Vec`, and a value to an `Option` of it.
/// - `..` at the end fills in the omitted columns with their default or with `None`. Only the defaults of omitted
///   columns are evaluated. The compiler checks that each omitted column has one.
/// - A flattened row or a `json` value can be a nested literal, whose values convert too.
///
/// The subject may be any expression with a `next` method, such as a transaction.
///
/// A literal has the column's type: write `4.0`, not `4`, for an `f64`. An `Option<&str>` does not convert: write
/// `nick: "tom"` or `nick: Some("tom".to_string())`. An expression whose type is inferred from its place, such as
/// `text.parse()?`, `row.get(0)?` or `name.into()`, is not converted: it has the column's type itself.
///
/// `..` needs a concrete row type, as in `Reading::<f64> { value, .. }`. In a function that is generic over the row,
/// name all columns. You cannot use `..` for a row with a column of `try_from` or `with` either, unless that column is
/// an `Option`. If the row is named `Self`, only `cargo build` reports a column without a default. `cargo check` does
/// not evaluate constants inside functions.
///
/// ```
/// use pathway_io::{Closed, Schema, Subject, connector, next};
///
/// #[derive(Schema)]
/// struct Cat {
///     #[schema(primary_key)]
///     key: i64,
///     genus: String,
///     #[schema(default = 4)]
///     legs: u8,
///     weight: Option<f64>,
/// }
///
/// struct Zoo;
///
/// #[connector]
/// impl Zoo {
///     fn run(&mut self, cats: Subject<Cat>) -> Result<(), Closed> {
///         next!(cats, Cat { key: 1, genus: "felis", legs: 3, weight: 4.5 })?;
///         next!(cats, Cat { key: 2, genus: "lynx", .. })
///     }
/// }
///
/// # fn main() -> pathway_io::Result<()> {
/// let updates = pathway_io::testing::collect(Zoo)?;
/// assert_eq!(updates[0].row.weight, Some(4.5));
/// assert_eq!((updates[1].row.legs, updates[1].row.weight), (4, None));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Returns [`Closed`](crate::Closed) if the subject is closed, as `next` does.
#[cfg(not(rust_analyzer))]
#[macro_export]
macro_rules! next {
    ($($tokens:tt)*) => {
        $crate::__private0::next! { ($crate) $($tokens)* }
    };
}

/// Expands to the tokens themselves, so that an editor can complete them.
#[cfg(rust_analyzer)]
#[macro_export]
macro_rules! next {
    ($($tokens:tt)*) => {
        $crate::__private0::sketch! { ($crate) $($tokens)* }
    };
}

/// Returns the value of `..` in an editor, which never runs it.
#[doc(hidden)]
#[must_use]
pub fn sketched<T>() -> T {
    unreachable!("only an editor expands `next!` to this")
}

/// A column's type that can be made from a value of type `V`.
///
/// `Self` is the column, so that rustc can infer the type of a value such as `row.get(0)?` if the column has one
/// implementation, as numbers, dates and newtypes do. A literal or `None` must match only one implementation, or its
/// type could not be inferred. For this reason, no number converts to a wider one, and `Option<&str>` does not convert.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "expected a value for a column of type `{Self}`",
    label = "this is a `{V}`",
    note = "values convert from `&str` to `String`, from slices and arrays to a `Vec` of the same items, and from `T` to `Option<T>`",
    note = "a number must have the column's type: write `4.0` for an `f64`; and an `Option` the value's: write `\"x\"` for `Some(\"x\")`, and `nick.map(str::to_owned)` for an `Option<&str>`"
)]
pub trait FromValue<V> {
    fn from_value(value: V) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T> FromValue<T> for T {
    #[inline]
    fn from_value(value: T) -> T {
        value
    }
}

#[diagnostic::do_not_recommend]
impl<T> FromValue<T> for Option<T> {
    #[inline]
    fn from_value(value: T) -> Option<T> {
        Some(value)
    }
}

/// Values that convert to an owned one, and to an `Option` of it.
macro_rules! into_owned {
    ($([$($generics:tt)*] $from:ty => $to:ty, |$value:ident| $make:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> FromValue<$from> for $to {
            #[inline]
            fn from_value($value: $from) -> $to {
                $make
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> FromValue<$from> for Option<$to> {
            #[inline]
            fn from_value($value: $from) -> Option<$to> {
                Some($make)
            }
        }
    )*};
}

into_owned! {
    [] &str => String, |text| text.to_owned();
    [] &String => String, |text| text.clone();
    [] char => String, |letter| letter.to_string();
    [] Box<str> => String, |text| text.into_string();
    [] std::borrow::Cow<'_, str> => String, |text| text.into_owned();
    [] &str => Box<str>, |text| text.into();
    [] String => Box<str>, |text| text.into();
    [] &str => std::sync::Arc<str>, |text| text.into();
    [] String => std::sync::Arc<str>, |text| text.into();
    [] &'static str => std::borrow::Cow<'static, str>, |text| text.into();
    [] String => std::borrow::Cow<'static, str>, |text| text.into();
    [] &str => std::path::PathBuf, |text| text.into();
    [] String => std::path::PathBuf, |text| text.into();
    [] &std::path::Path => std::path::PathBuf, |path| path.to_owned();
    [T: Clone] &[T] => Vec<T>, |items| items.to_vec();
    [T: Clone, const N: usize] &[T; N] => Vec<T>, |items| items.to_vec();
    [T, const N: usize] [T; N] => Vec<T>, |items| Vec::from(items);
    [T: Clone] &Vec<T> => Vec<T>, |items| items.clone();
}

/// Returns a literal that is the default of a `String`.
#[doc(hidden)]
#[must_use]
pub fn to_string(text: &str) -> String {
    text.to_owned()
}

/// Converts a value to the type of its column.
#[doc(hidden)]
#[inline]
pub fn convert<T: FromValue<V>, V>(value: V) -> T {
    T::from_value(value)
}

/// The `..` of `next!`. Its methods have no bound, because a type that is not a schema is reported where this is
/// created.
#[doc(hidden)]
pub struct Rest<S> {
    given: &'static [&'static str],
    make: fn(&[&str]) -> S,
}

impl<S> Rest<S> {
    /// Returns a row with the omitted columns.
    #[must_use]
    pub fn row(&self) -> S {
        (self.make)(self.given)
    }
}

/// Returns the rest of a row whose `given` fields the user has written. It fails where [`assert_rest`] does.
#[doc(hidden)]
#[track_caller]
#[must_use]
pub const fn checked_rest<S: Schema>(given: &'static [&'static str]) -> Rest<S> {
    assert_rest::<S>(given);
    Rest { given, make: rest }
}

/// Returns a row for the fields that are not `given`. Each given field has a placeholder there.
fn rest<S: Schema>(given: &[&str]) -> S {
    let mut columns = ColumnsOf::<S>::default();
    let is_given = |column: usize| given.contains(&S::SCHEMA.columns[column].field);
    columns.push_placeholders(|column| !is_given(column), 0);
    for column in (0..ColumnsOf::<S>::WIDTH).filter(|column| !is_given(*column)) {
        let filled = S::Fields::fill(&mut columns, column);
        debug_assert!(filled, "a column that can be left out has a default or can be null");
    }
    row_at(&columns, 0)
}

/// Fails if a column that is not `given` has neither a default nor a null. rustc reports unknown fields.
#[track_caller]
const fn assert_rest<S: Schema>(given: &[&str]) {
    let columns = S::SCHEMA.columns;
    let mut i = 0;
    while i < given.len() {
        if !has_field(columns, given[i]) && !contains(S::SCHEMA.skipped, given[i]) {
            return;
        }
        i += 1;
    }
    let (mut message, mut missing) = (ConstText::new().push("`..` leaves out "), 0);
    i = 0;
    while i < columns.len() {
        let column = &columns[i];
        if !contains(given, column.field) {
            if !column.has_default && !column.optional {
                let comma = if missing == 0 { "`" } else { ", `" };
                message = message.push(comma).push(column.name).push("`");
                missing += 1;
            }
        } else if !column.has_placeholder {
            let kind = if matches!(column.data_type, DataType::Json) { "`json`" } else { "converted" };
            let message = ConstText::new().push("`..` cannot be combined with the ").push(kind).push(" column `");
            panic!("{}", message.push(column.name).push("`\nhelp: name all columns, or make it an `Option`").as_str());
        }
        i += 1;
    }
    match missing {
        0 => {}
        1 => panic!("{}", message.push(", which has no default").as_str()),
        _ => panic!("{}", message.push(", which have no default").as_str()),
    }
}

const fn has_field(columns: &[Column], field: &str) -> bool {
    let mut i = 0;
    while i < columns.len() {
        if same(columns[i].field, field) {
            return true;
        }
        i += 1;
    }
    false
}

/// Returns the expansion of a `next!` with a mistake in it.
#[doc(hidden)]
pub fn refused<T: ?Sized>(_subject: &T) -> Result<(), Closed> {
    Err(Closed)
}
