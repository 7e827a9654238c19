//! `BTreeMap<String, T>` and `HashMap<String, T>`: JSON objects whose values all have the same type.
//!
//! The fields are held in the order of their names, so that equal maps have one form. A name that is given twice in
//! JSON causes an error, as for a column.

use std::collections::{BTreeMap, HashMap};

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::digits;
use super::list::ListBuffer;
use super::mismatch::refuse;
use super::strict::given_twice;
use super::text::TextBuffer;
use super::{Buffer, ColumnType, NotNull, Style, ValueSeed, delegated};
use crate::rows::data_type::DataType;

/// A map by name.
#[doc(hidden)]
pub trait TextMap:
    ColumnType + FromIterator<(String, Self::Value)> + IntoIterator<Item = (String, Self::Value)>
{
    type Value: ColumnType;

    fn fields(&self) -> impl Iterator<Item = (&String, &Self::Value)>;
}

/// Lists of the names and values of the maps.
#[doc(hidden)]
pub struct MapBuffer<M: TextMap>(ListBuffer<(TextBuffer, <M::Value as ColumnType>::Buffer)>);

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
            }
        )*
    };
}

maps!(BTreeMap HashMap);

impl<M: TextMap> Default for MapBuffer<M> {
    fn default() -> Self {
        MapBuffer(ListBuffer::default())
    }
}

impl<M: TextMap> MapBuffer<M> {
    /// Sorts the fields that were read since `start`.
    ///
    /// # Errors
    ///
    /// Returns the name that an object has twice.
    fn sort(&mut self, start: usize) -> Result<(), String> {
        let fields = &mut self.0.items;
        let end = fields.len();
        if (start + 1..end).all(|field| fields.0.text(field - 1) < fields.0.text(field)) {
            return Ok(());
        }
        let mut sorted: BTreeMap<String, M::Value> = BTreeMap::new();
        for field in start..end {
            let (name, value) = fields.get(field);
            if sorted.insert(name, value).is_some() {
                return Err(fields.0.get(field));
            }
        }
        fields.truncate(start);
        sorted.into_iter().for_each(|field| fields.push(field));
        Ok(())
    }
}

impl<M: TextMap> Buffer for MapBuffer<M> {
    type Item = M;
    const NEEDS_QUOTES: bool = true;
    const CAN_REFUSE: bool = <M::Value as ColumnType>::Buffer::CAN_REFUSE;
    delegated!(0);

    fn push(&mut self, map: M) {
        let mut fields = Vec::from_iter(map);
        fields.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        self.0.push(fields);
    }

    fn push_placeholder(&mut self) {
        self.0.push_placeholder();
    }

    fn decode<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let start = self.0.items.len();
        deserializer.deserialize_any(MapVisitor(self))?;
        self.sort(start).map_err(|name| D::Error::custom(given_twice(&name)))?;
        self.0.ends.push(self.0.items.len());
        Ok(())
    }

    fn get(&self, row: usize) -> M {
        self.0.get(row).into_iter().collect()
    }

    fn write_json(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        out.push(b'{');
        let (names, values) = &self.0.items;
        let fields = self.0.ends.range(row);
        let start = fields.start;
        for field in fields {
            if field > start {
                out.push(b',');
            }
            names.write_json(field, style, out);
            out.push(b':');
            values.write_json(field, style, out);
        }
        out.push(b'}');
    }
}

struct MapVisitor<'a, M: TextMap>(&'a mut MapBuffer<M>);

impl<'de, M: TextMap> Visitor<'de> for MapVisitor<'_, M> {
    type Value = ();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (names, values) = &mut self.0.0.items;
        while map.next_key_seed(ValueSeed(&mut *names))?.is_some() {
            if digits::is_name(names.text(names.len() - 1)) {
                return self.visit_f64(digits::value(&mut map)?);
            }
            map.next_value_seed(ValueSeed(&mut *values))?;
        }
        Ok(())
    }

    refuse!(M::DATA_TYPE; bool integer float str unit seq);
}
