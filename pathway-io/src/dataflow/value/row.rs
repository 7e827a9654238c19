//! Views of a row's fields, and the functions that the generated impls call.

use std::cmp::Ordering;
use std::fmt::{self, Debug, DebugStruct};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};

use super::{ColumnForm, FromColumnForm, Values};
use crate::rows::column::ColumnType;
use crate::rows::fields::{Col, Columns, Field, Flat, FlatField, Own, Pair, Tree};
use crate::rows::schema::{ColumnsOf, RowOf, Schema};

#[doc(hidden)]
/// A row struct whose fields can be viewed.
pub trait Shown: Schema<Fields: Restored> {
    /// The names of the fields.
    const FIELDS: &'static [&'static str];

    fn view(&self) -> impl View<Row = RowOf<Self>>;
}

#[doc(hidden)]
/// Fields of a row, by reference.
pub trait View {
    /// The form of the fields that a batch accepts.
    type Row;
    /// The number of fields.
    const LEN: usize = 1;

    fn to_row(&self) -> Self::Row;
    fn compare(&self, other: &Self) -> Ordering;
    fn hash<H: Hasher>(&self, state: &mut H);
    fn debug(&self, names: &'static [&'static str], f: &mut DebugStruct<'_, '_>);
    /// # Errors
    ///
    /// Returns the errors of the serializer.
    fn serialize<Z: SerializeTuple>(&self, tuple: &mut Z) -> Result<(), Z::Error>;
}

#[doc(hidden)]
/// Fields that can be read from a sequence.
pub trait Restored: Tree {
    /// # Errors
    ///
    /// Returns an error if the sequence does not hold the fields of this row.
    fn restore<'de, A: SeqAccess<'de>>(sequence: &mut A) -> Result<Self::Row, A::Error>;
}

impl<L: View, R: View> View for (L, R) {
    type Row = (L::Row, R::Row);
    const LEN: usize = L::LEN + R::LEN;

    #[inline]
    fn to_row(&self) -> Self::Row {
        (self.0.to_row(), self.1.to_row())
    }

    #[inline]
    fn compare(&self, other: &Self) -> Ordering {
        self.0.compare(&other.0).then_with(|| self.1.compare(&other.1))
    }

    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
        self.1.hash(state);
    }

    fn debug(&self, names: &'static [&'static str], f: &mut DebugStruct<'_, '_>) {
        let (left, right) = names.split_at(L::LEN);
        self.0.debug(left, f);
        self.1.debug(right, f);
    }

    #[inline]
    fn serialize<Z: SerializeTuple>(&self, tuple: &mut Z) -> Result<(), Z::Error> {
        self.0.serialize(tuple)?;
        self.1.serialize(tuple)
    }
}

impl<L: Restored, R: Restored> Restored for Pair<L, R> {
    #[inline]
    fn restore<'de, A: SeqAccess<'de>>(sequence: &mut A) -> Result<Self::Row, A::Error> {
        Ok((L::restore(sequence)?, R::restore(sequence)?))
    }
}

/// Reads the next element, which must exist.
fn element<'de, T: serde::Deserialize<'de>, A: SeqAccess<'de>>(sequence: &mut A) -> Result<T, A::Error> {
    sequence.next_element()?.ok_or_else(|| A::Error::custom("the row has fewer columns than its schema"))
}

type BufferOf<T> = <T as ColumnType>::Buffer;

/// A view of one column.
pub struct OwnView<'a, T>(&'a T);

/// A view of the `I`th field, a column.
///
/// It names the field and not its type, like the tree of [`Fields`](crate::rows::fields::Fields).
pub struct LeafView<'a, S: Field<I>, const I: usize>(OwnView<'a, S::Type>);

/// Returns a view of the `I`th field.
#[inline]
pub fn leaf<S: Field<I>, const I: usize>(value: &S::Type) -> LeafView<'_, S, I> {
    LeafView(OwnView(value))
}

/// Returns a view of a field whose type is known to be a column type.
#[inline]
pub fn own<T: ColumnType>(value: &T) -> OwnView<'_, T> {
    OwnView(value)
}

impl<T: ColumnType> View for OwnView<'_, T> {
    type Row = T;

    #[inline]
    fn to_row(&self) -> T {
        BufferOf::<T>::clone(self.0)
    }

    #[inline]
    fn compare(&self, other: &Self) -> Ordering {
        BufferOf::<T>::compare(self.0, other.0)
    }

    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        <BufferOf<T> as Values<T>>::hash(self.0, state);
    }

    fn debug(&self, names: &'static [&'static str], f: &mut DebugStruct<'_, '_>) {
        f.field(names[0], &ColumnForm::<_, BufferOf<T>>::new(self.0));
    }

    #[inline]
    fn serialize<Z: SerializeTuple>(&self, tuple: &mut Z) -> Result<(), Z::Error> {
        tuple.serialize_element(&ColumnForm::<_, BufferOf<T>>::new(self.0))
    }
}

impl<S: Field<I>, const I: usize> View for LeafView<'_, S, I> {
    type Row = S::Type;

    #[inline]
    fn to_row(&self) -> S::Type {
        self.0.to_row()
    }

    #[inline]
    fn compare(&self, other: &Self) -> Ordering {
        self.0.compare(&other.0)
    }

    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }

    fn debug(&self, names: &'static [&'static str], f: &mut DebugStruct<'_, '_>) {
        self.0.debug(names, f);
    }

    #[inline]
    fn serialize<Z: SerializeTuple>(&self, tuple: &mut Z) -> Result<(), Z::Error> {
        self.0.serialize(tuple)
    }
}

fn restore<'de, T: ColumnType, A: SeqAccess<'de>>(sequence: &mut A) -> Result<T, A::Error> {
    element::<FromColumnForm<T, BufferOf<T>>, A>(sequence).map(|read| read.0)
}

impl<S: Field<I>, const I: usize, const DEFAULT: bool, const EXAMPLE: bool> Restored for Col<S, I, DEFAULT, EXAMPLE> {
    #[inline]
    fn restore<'de, A: SeqAccess<'de>>(sequence: &mut A) -> Result<S::Type, A::Error> {
        restore(sequence)
    }
}

impl<T: ColumnType> Restored for Own<T> {
    #[inline]
    fn restore<'de, A: SeqAccess<'de>>(sequence: &mut A) -> Result<T, A::Error> {
        restore(sequence)
    }
}

/// A row that itself implements the traits that a computed row needs, so that it can be flattened into a computed row.
#[diagnostic::on_unimplemented(
    message = "rows of `{Self}` cannot be computed on",
    label = "flattens `{Self}`, which does not implement the traits that computations need",
    note = "put `#[schema(dataflow)]` on the struct"
)]
pub trait FlatRow: Clone + Ord + Hash + Debug + Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<S: Clone + Ord + Hash + Debug + Serialize + DeserializeOwned> FlatRow for S {}

/// A view of a flattened row, which implements the traits itself.
pub struct FlatView<'a, S>(&'a S);

/// Returns a view of a flattened field.
#[inline]
pub fn flat<S>(value: &S) -> FlatView<'_, S> {
    FlatView(value)
}

impl<S: FlatRow> View for FlatView<'_, S> {
    type Row = S;

    fn to_row(&self) -> S {
        self.0.clone()
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.0.cmp(other.0)
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }

    fn debug(&self, names: &'static [&'static str], f: &mut DebugStruct<'_, '_>) {
        f.field(names[0], self.0);
    }

    fn serialize<Z: SerializeTuple>(&self, tuple: &mut Z) -> Result<(), Z::Error> {
        tuple.serialize_element(self.0)
    }
}

impl<S: FlatField<I, Type: FlatRow>, const I: usize, const KEYED: bool> Restored for Flat<S, I, KEYED> {
    fn restore<'de, A: SeqAccess<'de>>(sequence: &mut A) -> Result<S::Type, A::Error> {
        element(sequence)
    }
}

/// Implements `Clone::clone`.
#[inline]
pub fn clone<S: Shown>(row: &S) -> S {
    S::from_fields(row.view().to_row())
}

/// Implements `PartialEq::eq`.
#[inline]
pub fn equal<S: Shown>(a: &S, b: &S) -> bool {
    compare(a, b).is_eq()
}

/// Implements `Ord::cmp`.
#[inline]
pub fn compare<S: Shown>(a: &S, b: &S) -> Ordering {
    a.view().compare(&b.view())
}

/// Implements `Hash::hash`.
#[inline]
pub fn hash<S: Shown, H: Hasher>(row: &S, state: &mut H) {
    row.view().hash(state);
}

/// Implements `Debug::fmt`.
///
/// # Errors
///
/// Returns the errors of the formatter.
pub fn debug<S: Shown>(row: &S, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut f = f.debug_struct(S::SCHEMA.name);
    row.view().debug(S::FIELDS, &mut f);
    f.finish()
}

/// Implements `Serialize::serialize`.
///
/// # Errors
///
/// Returns the errors of the serializer.
#[inline]
pub fn serialize<S: Shown, Z: Serializer>(row: &S, serializer: Z) -> Result<Z::Ok, Z::Error> {
    let mut tuple = serializer.serialize_tuple(S::FIELDS.len())?;
    row.view().serialize(&mut tuple)?;
    tuple.end()
}

/// Implements `Deserialize::deserialize`.
///
/// # Errors
///
/// Returns an error if the input does not hold the fields of this row.
#[inline]
pub fn deserialize<'de, S: Shown, D: Deserializer<'de>>(deserializer: D) -> Result<S, D::Error> {
    deserializer.deserialize_tuple(S::FIELDS.len(), RowVisitor(PhantomData))
}

struct RowVisitor<S>(PhantomData<fn() -> S>);

impl<'de, S: Shown> Visitor<'de> for RowVisitor<S> {
    type Value = S;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} columns of a `{}`", ColumnsOf::<S>::WIDTH, S::SCHEMA.name)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<S, A::Error> {
        Ok(S::from_fields(<S::Fields as Restored>::restore(&mut sequence)?))
    }
}
