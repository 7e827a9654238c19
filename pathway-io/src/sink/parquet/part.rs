//! One Parquet file: [`PartWriter`].

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::run::error::BoxError;
use crate::sink::file::storage::{Readers, Storage, StoredFile, sync_parent};

/// The maximum number of rows in a row group, which is kept in memory, encoded, until it is complete.
const ROW_GROUP: usize = 131_072;

/// The maximum number of encoded bytes in a row group.
const ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;

/// The file of a part.
struct PartFile(StoredFile);

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A part that is being written.
pub(super) struct PartWriter(ArrowWriter<PartFile>);

impl PartWriter {
    pub(super) fn begin(storage: &Arc<dyn Storage>, path: PathBuf, schema: &SchemaRef) -> Result<Self, BoxError> {
        let file = PartFile(StoredFile::create(&**storage, &path, Readers::Umask)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .build();
        Ok(PartWriter(ArrowWriter::try_new(file, Arc::clone(schema), Some(properties)).map_err(cause)?))
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), BoxError> {
        self.0.write(batch).map_err(cause)
    }

    /// Completes the file, makes it durable, and gives it its final name. Returns its length.
    pub(super) fn end(mut self, storage: &dyn Storage, name: PathBuf) -> Result<u64, BoxError> {
        self.0.finish().map_err(cause)?;
        crash_point!(PartWritten);
        let file = &mut self.0.inner_mut().0;
        file.sync()?;
        crash_point!(PartSynced);
        file.rename(storage, name.clone())?;
        crash_point!(PartNamed);
        sync_parent(storage, &name)?;
        Ok(self.0.inner().0.len())
    }
}

/// Returns the error of the file from inside the error of the writer.
fn cause(error: ParquetError) -> BoxError {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => error.into(),
            Err(error) => error,
        },
        error => error.into(),
    }
}
