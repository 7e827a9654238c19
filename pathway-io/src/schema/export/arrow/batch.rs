//! Commits as record batches: [`BatchBuilder`], and the methods of [`Commit`] that return one.
//!
//! Values go from the typed columns into Arrow's buffers, and no struct is made. Nested values are converted through
//! their JSON form.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{ArrowError, DataType as ArrowType, Field, Schema as ArrowSchema, SchemaRef};

use super::node::{ArrowFault, Node};
use crate::rows::batch::Batch;
use crate::rows::column::{Buffer, Scalar, Style};
use crate::rows::commit::Commit;
use crate::rows::description::TableSchema;
use crate::rows::fields::{Columns, Visitor};
use crate::rows::schema::Schema;

impl TableSchema {
    /// Returns the Arrow schema of the *updates*, with the columns `time` and `diff` at the end (feature `arrow`).
    #[must_use]
    pub fn arrow_schema_of_updates(&self) -> ArrowSchema {
        let schema = self.arrow_schema();
        let added = ["time", "diff"].map(|name| Arc::new(Field::new(name, ArrowType::Int64, false)));
        let fields: Vec<Arc<Field>> = schema.fields().iter().cloned().chain(added).collect();
        ArrowSchema::new_with_metadata(fields, schema.metadata().clone())
    }
}

/// Collects the rows of commits.
pub(crate) struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<Node>,
    /// The times and the diffs, if updates are collected.
    updates: Option<(Vec<i64>, Vec<i64>)>,
    rows: usize,
    scratch: Vec<u8>,
}

impl BatchBuilder {
    pub(crate) fn new(table: &TableSchema, updates: bool) -> Self {
        let schema = if updates { table.arrow_schema_of_updates() } else { table.arrow_schema() };
        BatchBuilder::of(schema, table.columns.len())
    }

    /// Collects updates for a file; see [`portable`].
    #[cfg(feature = "parquet")]
    pub(crate) fn for_files(table: &TableSchema) -> Self {
        BatchBuilder::of(schema_for_files(table), table.columns.len())
    }

    fn of(schema: ArrowSchema, columns: usize) -> Self {
        let (columns, added) = schema.fields().split_at(columns);
        BatchBuilder {
            columns: columns.iter().map(Node::new).collect(),
            updates: (!added.is_empty()).then(Default::default),
            schema: Arc::new(schema),
            rows: 0,
            scratch: Vec::new(),
        }
    }

    #[cfg(feature = "parquet")]
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    #[cfg(feature = "parquet")]
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds the rows of one batch of a commit.
    ///
    /// # Errors
    ///
    /// Returns an error that names the column if Arrow cannot represent a value. Some rows may have been added.
    pub(crate) fn append<S: Schema>(&mut self, batch: &Batch<S>, time: u64) -> Result<(), ArrowError> {
        let mut append =
            Append { len: batch.len(), columns: &mut self.columns, scratch: &mut self.scratch, fault: None };
        batch.columns.visit(0, &mut append);
        if let Some((column, fault)) = append.fault {
            let name = self.schema.field(column).name();
            return Err(ArrowError::InvalidArgumentError(format!("column `{name}`: it has {fault}")));
        }
        if let Some((times, diffs)) = &mut self.updates {
            times.extend((0..batch.len()).map(|_| time.cast_signed()));
            diffs.extend((0..batch.len()).map(|row| batch.diff(row)));
        }
        self.rows += batch.len();
        Ok(())
    }

    /// Returns the collected rows, and begins an empty batch.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let mut arrays: Vec<ArrayRef> = self.columns.iter_mut().map(Node::finish).collect::<Result<_, _>>()?;
        if let Some((times, diffs)) = &mut self.updates {
            for numbers in [times, diffs] {
                arrays.push(Arc::new(Int64Array::from(std::mem::take(numbers))));
            }
        }
        self.rows = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
    }
}

/// Returns the schema of the updates in a file.
#[cfg(feature = "parquet")]
pub(super) fn schema_for_files(table: &TableSchema) -> ArrowSchema {
    let schema = table.arrow_schema_of_updates();
    let fields: Vec<Field> = schema.fields().iter().map(|field| portable(field)).collect();
    ArrowSchema::new_with_metadata(fields, schema.metadata().clone())
}

/// Returns the field with the types that readers of files support. Few of them have decimals of 57 digits, so decimals
/// are strings. pyarrow does not read a null in a list of a fixed size, so such lists have any size.
#[cfg(feature = "parquet")]
fn portable(field: &Field) -> Field {
    let data_type = match field.data_type() {
        ArrowType::Decimal256(..) => ArrowType::Utf8,
        ArrowType::List(item) | ArrowType::FixedSizeList(item, _) => ArrowType::List(Arc::new(portable(item))),
        ArrowType::Map(entries, sorted) => ArrowType::Map(Arc::new(portable(entries)), *sorted),
        ArrowType::Struct(fields) => ArrowType::Struct(fields.iter().map(|field| portable(field)).collect()),
        other => other.clone(),
    };
    field.clone().with_data_type(data_type)
}

/// Appends whole columns of a batch.
struct Append<'a> {
    len: usize,
    columns: &'a mut [Node],
    scratch: &'a mut Vec<u8>,
    fault: Option<(usize, ArrowFault)>,
}

impl Visitor for Append<'_> {
    fn column<B: Buffer>(&mut self, index: usize, buffer: &B) {
        if self.fault.is_some() {
            return;
        }
        let node = &mut self.columns[index];
        for row in 0..self.len {
            if let Err(fault) = append_value(node, buffer, row, self.scratch) {
                self.fault = Some((index, fault));
                return;
            }
        }
    }
}

/// Appends one value of a column.
pub(super) fn append_value<B: Buffer>(
    node: &mut Node,
    buffer: &B,
    row: usize,
    scratch: &mut Vec<u8>,
) -> Result<(), ArrowFault> {
    match buffer.scalar(row) {
        Scalar::Null => {
            node.push_null();
            Ok(())
        }
        Scalar::Integer(value) => node.push_integer(value.into()),
        Scalar::Float(value) => node.push_float(value),
        Scalar::Text(value) => node.push_text(value),
        Scalar::Bytes(value) => node.push_bytes(value),
        Scalar::Spelled => {
            scratch.clear();
            spelled(node, buffer, row, scratch)
        }
    }
}

fn spelled<B: Buffer>(node: &mut Node, buffer: &B, row: usize, scratch: &mut Vec<u8>) -> Result<(), ArrowFault> {
    if node.is_nested() {
        buffer.write_json(row, Style::Plain, scratch);
        return node.push_json(serde_json::from_slice(scratch).map_err(|_| super::node::FORM)?);
    }
    buffer.write_text(row, Style::Plain, scratch);
    node.push_text(std::str::from_utf8(scratch).map_err(|_| super::node::FORM)?)
}

impl<S: Schema> Commit<S> {
    /// Returns the rows as an Arrow record batch, in the columns of [`TableSchema::arrow_schema`]; behind the feature
    /// `arrow`.
    ///
    /// The batch contains retracted rows too. To distinguish them, use
    /// [`record_batch_of_updates`](Commit::record_batch_of_updates).
    ///
    /// # Errors
    ///
    /// Returns an error that names the column if Arrow cannot represent a value, such as an instant after the year 2262
    /// or a duration of more than 292 years.
    ///
    /// ```
    /// use pathway_io::{Pipeline, Schema, Subject, connector};
    ///
    /// #[derive(Schema)]
    /// struct Cat { key: i64, genus: String }
    ///
    /// struct Cats;
    ///
    /// #[connector]
    /// impl Cats {
    ///     fn run(&mut self, cats: Subject<Cat>) -> pathway_io::RunResult {
    ///         Ok(cats.next(Cat { key: 1, genus: "felis".into() })?)
    ///     }
    /// }
    ///
    /// let pipeline = Pipeline::new();
    /// let commits = pipeline.read(Cats).commits(1);
    /// let running = pipeline.start()?;
    /// for commit in &commits {
    ///     let batch = commit.record_batch()?;
    ///     assert_eq!((batch.num_rows(), batch.num_columns()), (1, 2));
    /// }
    /// running.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn record_batch(&self) -> Result<RecordBatch, ArrowError> {
        self.batch_of(false)
    }

    /// Returns the updates as an Arrow record batch, with the columns `time` and `diff` at the end; behind the feature
    /// `arrow`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`record_batch`](Commit::record_batch).
    pub fn record_batch_of_updates(&self) -> Result<RecordBatch, ArrowError> {
        self.batch_of(true)
    }

    fn batch_of(&self, updates: bool) -> Result<RecordBatch, ArrowError> {
        let mut builder = BatchBuilder::new(S::SCHEMA, updates);
        self.batches().iter().try_for_each(|batch| builder.append(batch, self.time()))?;
        builder.finish()
    }
}
