//! Rows in the binary form of `COPY`: [`Copy`].

use std::io::{self, Write};

use postgres::{CopyInWriter, Statement, Transaction};

use super::encode;
use super::error::judged;
use super::fields::{Fields, Out, refused};
use super::layout::Layout;
use crate::rows::batch::Batch;
use crate::rows::fields::Columns;
use crate::rows::schema::Schema;
use crate::run::error::BoxError;

/// The number of bytes that are collected before they are sent.
const BUFFER: usize = 64 * 1024;

/// The reason why a `COPY` has failed.
pub(super) enum CopyError {
    /// An error of the server or of the connection.
    Server(postgres::Error),
    /// A row that PostgreSQL cannot hold.
    Row(BoxError),
}

impl CopyError {
    /// Returns whether another row has one of the keys. An upsert replaces it.
    pub(super) fn is_taken(&self) -> bool {
        match self {
            CopyError::Server(error) => error.code().is_some_and(|code| code.code() == "23505"),
            CopyError::Row(_) => false,
        }
    }
}

impl From<CopyError> for BoxError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Server(error) => judged(error),
            CopyError::Row(error) => error,
        }
    }
}

impl From<postgres::Error> for CopyError {
    fn from(error: postgres::Error) -> Self {
        CopyError::Server(error)
    }
}

impl From<io::Error> for CopyError {
    /// Returns the error from inside the `io::Error` that `Write` requires.
    fn from(error: io::Error) -> Self {
        match error.downcast::<postgres::Error>() {
            Ok(error) => CopyError::Server(error),
            Err(error) => CopyError::Row(error.into()),
        }
    }
}

/// A running `COPY` into a table.
pub(super) struct Copy<'a> {
    writer: CopyInWriter<'a>,
    layout: &'a Layout,
    out: Vec<u8>,
}

impl<'a> Copy<'a> {
    pub(super) fn begin(
        transaction: &'a mut Transaction<'_>,
        layout: &'a Layout,
        statement: &Statement,
    ) -> Result<Self, CopyError> {
        let writer = transaction.copy_in(statement)?;
        let mut out = Vec::with_capacity(BUFFER + BUFFER / 4);
        // The header of the format: the signature, no flags, and no extension.
        out.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
        out.extend_from_slice(&[0; 8]);
        Ok(Copy { writer, layout, out })
    }

    /// Adds a row, with its time and diff for a table of updates.
    pub(super) fn row<S: Schema>(
        &mut self,
        batch: &Batch<S>,
        row: usize,
        update: Option<(u64, i64)>,
        scratch: &mut Vec<u8>,
    ) -> Result<(), CopyError> {
        // A table has at most 1,600 columns.
        self.out.extend_from_slice(&(self.layout.columns.len() as i16).to_be_bytes());
        let out = Out::Row(&mut self.out);
        let mut fields = Fields { layout: self.layout, row, only_key: false, out, scratch, fault: None };
        batch.columns.visit(0, &mut fields);
        if let Some(fault) = fields.fault {
            return Err(CopyError::Row(refused(self.layout, fault)));
        }
        if let Some((time, diff)) = update {
            encode::int8(time.cast_signed(), &mut self.out);
            encode::int8(diff, &mut self.out);
        }
        if self.out.len() >= BUFFER { self.send() } else { Ok(()) }
    }

    /// Sends the collected rows. A message must have less than 1 GiB, and a row need not be in one message.
    fn send(&mut self) -> Result<(), CopyError> {
        self.out.chunks(BUFFER).try_for_each(|bytes| self.writer.write_all(bytes))?;
        self.out.clear();
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<(), CopyError> {
        self.out.extend_from_slice(&(-1_i16).to_be_bytes());
        self.send()?;
        self.writer.finish()?;
        Ok(())
    }
}
