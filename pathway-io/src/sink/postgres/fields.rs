//! The columns of a row in the binary form of PostgreSQL: [`FieldWriter`].

use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::encode;
use super::fault::PostgresFault;
use super::layout::Layout;
use crate::rows::column::Buffer;
use crate::rows::fields::Visitor;
use crate::run::error::{BoxError, Error};

/// The binary form of an array, as a parameter.
#[derive(Debug)]
pub(super) struct Array(pub(super) Vec<u8>);

impl ToSql for Array {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Writes the fields of rows, either into one array per column or into one row.
pub(super) struct FieldWriter<'a> {
    pub(super) layout: &'a Layout,
    pub(super) row: usize,
    /// Whether only the columns of the key are written.
    pub(super) only_key: bool,
    pub(super) out: Out<'a>,
    pub(super) scratch: &'a mut Vec<u8>,
    pub(super) fault: Option<(usize, PostgresFault)>,
}

pub(super) enum Out<'a> {
    Row(&'a mut Vec<u8>),
    /// An array for each written column, and the index of the next one.
    Arrays(&'a mut [Array], usize),
}

impl Visitor for FieldWriter<'_> {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        let column = &self.layout.columns[index];
        if self.fault.is_some() || (self.only_key && !column.primary_key) {
            return;
        }
        let out = match &mut self.out {
            Out::Row(row) => row,
            Out::Arrays(arrays, next) => {
                *next += 1;
                &mut arrays[*next - 1].0
            }
        };
        let written = encode::field(column.kind, column.primary_key, buffer, self.row, out, self.scratch);
        self.fault = written.err().map(|fault| (index, fault));
    }
}

pub(super) fn refused(layout: &Layout, (column, fault): (usize, PostgresFault)) -> BoxError {
    Error::refused(None, format!("column `{}`: it has {fault}", layout.columns[column].name)).into()
}
