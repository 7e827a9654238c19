//! Rows in the binary form of `COPY`: [`Copy`].

use std::io::{self, Write};

use postgres::{CopyInWriter, Statement, Transaction};

use super::encode;
use super::fields::{FieldWriter, Out, refused};
use super::layout::Layout;
use crate::rows::batch::Batch;
use crate::rows::fields::Columns;
use crate::rows::schema::Schema;

/// The number of bytes that are collected before they are sent.
const BUFFER: usize = 64 * 1024;

/// A running `COPY` into a table. Its errors contain the errors of the client, and those of rows that PostgreSQL cannot
/// hold.
pub(super) struct Copy<'a> {
    writer: CopyInWriter<'a>,
    layout: &'a Layout,
    out: Vec<u8>,
    /// A buffer for the text of values.
    scratch: Vec<u8>,
}

impl<'a> Copy<'a> {
    pub(super) fn begin(
        transaction: &'a mut Transaction<'_>,
        layout: &'a Layout,
        statement: &Statement,
    ) -> io::Result<Self> {
        let writer = transaction.copy_in(statement).map_err(io::Error::other)?;
        let mut out = Vec::with_capacity(BUFFER + BUFFER / 4);
        // The header of the format: the signature, no flags, and no extension.
        out.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
        out.extend_from_slice(&[0; 8]);
        Ok(Copy { writer, layout, out, scratch: Vec::new() })
    }

    /// Adds a row, with its time and diff for a table of updates.
    pub(super) fn row<S: Schema>(
        &mut self,
        batch: &Batch<S>,
        row: usize,
        update: Option<(u64, i64)>,
    ) -> io::Result<()> {
        // A table has at most 1,600 columns.
        self.out.extend_from_slice(&(self.layout.columns.len() as i16).to_be_bytes());
        let out = Out::Row(&mut self.out);
        let scratch = &mut self.scratch;
        let mut fields = FieldWriter { layout: self.layout, row, only_key: false, out, scratch, fault: None };
        batch.columns.visit(0, &mut fields);
        if let Some(fault) = fields.fault {
            return Err(io::Error::other(refused(self.layout, fault)));
        }
        if let Some((time, diff)) = update {
            encode::int8(time.cast_signed(), &mut self.out);
            encode::int8(diff, &mut self.out);
        }
        if self.out.len() >= BUFFER { self.send() } else { Ok(()) }
    }

    /// Sends the collected rows. A message must have less than 1 GiB, and a row need not be in one message.
    fn send(&mut self) -> io::Result<()> {
        self.out.chunks(BUFFER).try_for_each(|bytes| self.writer.write_all(bytes))?;
        self.out.clear();
        Ok(())
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        self.out.extend_from_slice(&(-1_i16).to_be_bytes());
        self.send()?;
        self.writer.finish().map_err(io::Error::other)?;
        Ok(())
    }
}
