//! `BTreeMap<String, T>` and `HashMap<String, T>`: JSON objects whose values have one type.
//!
//! The fields are held in the order of their names, so that equal maps have one form. A name that is
//! given twice in JSON is an error, as it is for a column.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hasher;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::digits;
use super::list::ListBuffer;
use super::mismatch::refuse;
use super::strict::given_twice;
use super::text::TextBuffer;
use super::{Buffer, ColumnType, Ends, Into, NotNull, Style};
use crate::rows::data_type::DataType;

/// A map by name.
#[doc(hidden)]
pub trait TextMap: ColumnType + FromIterator<(String, Self::Value)> {
    type Value: ColumnType;

    fn fields(&self) -> impl Iterator<Item = (&String, &Self::Value)>;
    fn into_sorted(self) -> Vec<(String, Self::Value)>;
}

/// The names and the values of all maps, one after the other.
#[doc(hidden)]
pub struct MapBuffer<M: TextMap> {
    ends: Ends,
    names: TextBuffer,
    values: <M::Value as ColumnType>::Buffer,
    map: PhantomData<fn() -> M>,
}

macro_rules! maps {
    ($($map:ident)*) => {
        $(
            impl<T: ColumnType> ColumnType for $map<String, T> {
                const DATA_TYPE: DataType = DataType::Map(&T::ELEMENT);
                type Buffer = MapBuffer<$map<String, T>>;
                type ListBuffer = ListBuffer<MapBuffer<$map<String, T>>>;
            }

            impl<T: ColumnType> NotNull for $map<String, T> {}

            impl<T: ColumnType> TextMap for $map<String, T> {
                type Value = T;

                fn fields(&self) -> impl Iterator<Item = (&String, &T)> {
                    self.iter()
                }

                fn into_sorted(self) -> Vec<(String, T)> {
                    let mut fields = Vec::from_iter(self);
                    fields.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                    fields
                }
            }
        )*
    };
}

maps!(BTreeMap HashMap);

impl<M: TextMap> Default for MapBuffer<M> {
    fn default() -> Self {
        MapBuffer { ends: Ends::default(), names: TextBuffer::default(), values: Default::default(), map: PhantomData }
    }
}

impl<M: TextMap> MapBuffer<M> {
    fn end(&mut self) {
        self.ends.push(self.names.len());
    }

    /// Sorts the fields that were read since `start`.
    ///
    /// # Errors
    ///
    /// Returns the name that an object has twice.
    fn sort(&mut self, start: usize) -> Result<(), String> {
        let end = self.names.len();
        if (start + 1..end).all(|field| self.names.text(field - 1) < self.names.text(field)) {
            return Ok(());
        }
        let mut fields: BTreeMap<String, M::Value> = BTreeMap::new();
        for field in start..end {
            if fields.insert(self.names.get(field), self.values.get(field)).is_some() {
                return Err(self.names.get(field));
            }
        }
        self.names.truncate(start);
        self.values.truncate(start);
        for (name, value) in fields {
            self.names.push(name);
            self.values.push(value);
        }
        Ok(())
    }
}

impl<M: TextMap> Buffer for MapBuffer<M> {
    type Item = M;
    const NEEDS_QUOTES: bool = true;
    const CAN_REFUSE: bool = <M::Value as ColumnType>::Buffer::CAN_REFUSE;

    #[inline]
    fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    fn bytes(&self) -> usize {
        self.ends.bytes() + self.names.bytes() + self.values.bytes()
    }

    fn push(&mut self, map: M) {
        for (name, value) in map.into_sorted() {
            self.names.push(name);
            self.values.push(value);
        }
        self.end();
    }

    fn push_placeholder(&mut self) {
        self.end();
    }

    fn push_from(&mut self, other: &Self, row: usize) {
        for field in other.ends.range(row) {
            self.names.push_from(&other.names, field);
            self.values.push_from(&other.values, field);
        }
        self.end();
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let start = self.names.len();
        deserializer.deserialize_any(MapVisitor(self))?;
        self.sort(start).map_err(|name| D::Error::custom(given_twice(&name)))?;
        self.end();
        Ok(())
    }

    fn truncate(&mut self, len: usize) {
        let end = self.ends.truncate(len);
        self.names.truncate(end);
        self.values.truncate(end);
    }

    fn get(&self, row: usize) -> M {
        self.ends.range(row).map(|field| (self.names.get(field), self.values.get(field))).collect()
    }

    fn equal(&self, row: usize, other: &Self, other_row: usize) -> bool {
        let (mine, theirs) = (self.ends.range(row), other.ends.range(other_row));
        mine.len() == theirs.len()
            && mine.zip(theirs).all(|(field, their)| {
                self.names.equal(field, &other.names, their) && self.values.equal(field, &other.values, their)
            })
    }

    fn hash<H: Hasher>(&self, row: usize, state: &mut H) {
        let fields = self.ends.range(row);
        state.write_usize(fields.len());
        for field in fields {
            self.names.hash(field, state);
            self.values.hash(field, state);
        }
    }

    fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        out.push(b'{');
        let fields = self.ends.range(row);
        let start = fields.start;
        for field in fields {
            if field > start {
                out.push(b',');
            }
            self.names.write_json(field, style, out);
            out.push(b':');
            self.values.write_json(field, style, out);
        }
        out.push(b'}');
    }
}

struct MapVisitor<'a, M: TextMap>(&'a mut MapBuffer<M>);

impl<'de, M: TextMap> Visitor<'de> for MapVisitor<'_, M> {
    type Value = ();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Into(&mut self.0.names))?.is_some() {
            if digits::is_name(self.0.names.text(self.0.names.len() - 1)) {
                return self.visit_f64(digits::value(&mut map)?);
            }
            map.next_value_seed(Into(&mut self.0.values))?;
        }
        Ok(())
    }

    refuse!(M::DATA_TYPE; bool integer float str unit seq);
}
