//! Columns with a `path`: reads the field in which their paths begin.
//!
//! A value is read once, for all columns in it and in any order. A [`NestedPlace`] is the start of a path. All columns
//! whose paths have the same first steps share it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::names::Seen;
use crate::rows::description::{PathStep, TableSchema};
use crate::rows::fields::Columns;
use crate::rows::path::{Steps, any};
use crate::rows::schema::{ColumnsOf, Schema};

/// The kind of a field in a row.
pub(super) enum FieldKind {
    Column(usize),
    /// Columns are inside it.
    Nested(NestedPlace),
    Unknown,
}

/// A place inside a row: the first steps of a column's path, or all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct NestedPlace {
    column: usize,
    depth: usize,
}

/// Returns the place of a field of the row, if paths begin there.
#[inline]
pub(super) fn root<S: Schema>(name: &str) -> Option<NestedPlace> {
    if !const { any(S::SCHEMA.columns) } {
        return None;
    }
    let column = S::SCHEMA.columns.iter().position(|column| column.root() == Some(name))?;
    Some(NestedPlace { column, depth: 1 })
}

impl NestedPlace {
    fn steps(self, schema: &TableSchema) -> &'static [PathStep] {
        &schema.columns[self.column].steps[..self.depth]
    }

    /// Returns the columns whose paths continue from here, and their next steps.
    fn next(self, schema: &TableSchema) -> impl Iterator<Item = (usize, PathStep)> {
        let steps = self.steps(schema);
        schema.columns.iter().enumerate().filter_map(move |(index, column)| {
            let next = *column.steps.get(self.depth)?;
            column.steps.starts_with(steps).then_some((index, next))
        })
    }

    fn child(self, schema: &TableSchema, is_it: impl Fn(PathStep) -> bool) -> Option<NestedPlace> {
        let (column, _) = self.next(schema).find(|(_, step)| is_it(*step))?;
        Some(NestedPlace { column, depth: self.depth + 1 })
    }
}

/// Reads the columns inside a value, or the column whose value it is.
pub(super) struct Nested<'a, S: Schema> {
    pub(super) columns: &'a mut ColumnsOf<S>,
    pub(super) seen: &'a mut Seen,
    pub(super) place: NestedPlace,
}

impl<S: Schema> Nested<'_, S> {
    fn inner(&mut self, place: NestedPlace) -> Nested<'_, S> {
        Nested { columns: self.columns, seen: self.seen, place }
    }

    /// Fails if no path continues with such a step.
    fn expect<E: Error>(&self, is_way: fn(PathStep) -> bool, found: &str) -> Result<(), E> {
        if self.place.next(S::SCHEMA).any(|(_, step)| is_way(step)) {
            return Ok(());
        }
        let expected = if found == "a list" { "an object" } else { "a list" };
        Err(E::custom(format_args!("expected {expected} at `{}`, found {found}", Steps(self.place.steps(S::SCHEMA)))))
    }
}

impl<'de, S: Schema> DeserializeSeed<'de> for Nested<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let NestedPlace { column, depth } = self.place;
        if depth < S::SCHEMA.columns[column].steps.len() {
            self.seen.current = Some(column);
            return deserializer.deserialize_any(self);
        }
        let is_first = self.seen.mark(column);
        self.seen.current = Some(column);
        self.seen.nested = true;
        if !is_first {
            return Err(D::Error::custom("given twice"));
        }
        self.columns.decode(column, deserializer)?;
        self.seen.current = None;
        self.seen.nested = false;
        Ok(())
    }
}

impl<'de, S: Schema> Visitor<'de> for Nested<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_list = self.place.next(S::SCHEMA).all(|(_, step)| matches!(step, PathStep::Item(_)));
        let expected = if is_list { "a list" } else { "an object" };
        write!(f, "{expected} at `{}`", Steps(self.place.steps(S::SCHEMA)))
    }

    /// In a null, all columns are missing.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.seen.current = None;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.expect(|step| matches!(step, PathStep::Field(_)), "an object")?;
        self.seen.current = None;
        while let Some(child) = map.next_key_seed(NestedName { schema: S::SCHEMA, place: self.place })? {
            match child {
                Some(place) => map.next_value_seed(self.inner(place))?,
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.expect(|step| matches!(step, PathStep::Item(_)), "a list")?;
        self.seen.current = None;
        for item in 0.. {
            let is_more = match self.place.child(S::SCHEMA, |step| step == PathStep::Item(item)) {
                Some(place) => items.next_element_seed(self.inner(place))?,
                None => items.next_element::<IgnoredAny>()?.map(drop),
            };
            if is_more.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// Reads the name of a field inside a place.
struct NestedName {
    schema: &'static TableSchema,
    place: NestedPlace,
}

impl<'de> DeserializeSeed<'de> for NestedName {
    type Value = Option<NestedPlace>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<NestedPlace>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for NestedName {
    type Value = Option<NestedPlace>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<NestedPlace>, E> {
        Ok(self.place.child(self.schema, |step| matches!(step, PathStep::Field(field) if field == name)))
    }
}
