//! What stands in for a row whose derive failed: no program with it ever runs.

use serde::de::MapAccess;

use super::{Columns, Fields, Tree, Visitor};
use crate::rows::column::scan::Scan;
use crate::rows::description::{Column, Shape, TableSchema};
use crate::rows::schema::Schema;

/// The fields of a struct whose derive failed, the columns for them, and a schema.
#[doc(hidden)]
#[derive(Default)]
pub struct Stub;

impl Schema for Stub {
    type Fields = Stub;
    const SCHEMA: &'static TableSchema = &TableSchema::new("Stub", &[]);

    fn into_fields(self) {}
    fn from_fields((): ()) -> Self {
        Stub
    }
}

impl Tree for Stub {
    type Row = ();
    type Partial = ();
}

impl Fields for Stub {
    type Columns = Stub;
    const SHAPE: Shape = Shape::Empty;

    fn fill(_columns: &mut Stub, _index: usize) -> bool {
        false
    }
}

impl Columns for Stub {
    type Row = ();
    type Partial = ();
    const WIDTH: usize = 0;

    fn bytes(&self) -> usize {
        0
    }
    fn push(&mut self, (): ()) {}
    fn push_placeholder(&mut self) {}
    fn push_placeholder_at(&mut self, _index: usize) {}
    fn push_partial(&mut self, (): ()) {}
    fn push_from(&mut self, _other: &Self, _row: usize) {}
    fn decode<'de, A: MapAccess<'de>>(&mut self, _index: usize, _map: &mut A) -> Result<(), A::Error> {
        Ok(())
    }
    fn scan(&mut self, _scan: &mut Scan<'_>, _columns: &'static [Column], _first: usize) -> bool {
        false
    }
    fn scan_at(&mut self, _scan: &mut Scan<'_>, _index: usize) -> bool {
        false
    }
    fn truncate(&mut self, _len: usize) {}
    fn get(&self, _row: usize) {}
    fn equal(&self, _row: usize, _other: &Self, _other_row: usize) -> bool {
        true
    }
    fn key_equal(
        &self,
        _row: usize,
        _other: &Self,
        _other_row: usize,
        _key: impl Fn(usize) -> bool + Copy,
        _first: usize,
    ) -> bool {
        true
    }
    fn visit<V: Visitor>(&self, _first: usize, _visitor: &mut V) {}
}
