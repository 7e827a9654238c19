//! Arrow: the schema of record batches, Parquet files and Flight streams.

pub(crate) mod batch;
#[cfg(feature = "parquet")]
pub(crate) mod check;
mod node;

use std::sync::Arc;

use arrow_schema::{DataType as ArrowType, Field, Fields, Metadata, Schema, TimeUnit};

use crate::rows::data_type::DataType;
use crate::rows::description::{Column, TableSchema};

impl TableSchema {
    /// Returns the Arrow schema of the table's columns (feature `arrow`).
    ///
    /// Times have nanoseconds. Arrow has no leap seconds: a leap second becomes the second after it or, in a time of
    /// day at the end of the day, the second before it. An instant is converted to UTC. A `Value` is a string with the
    /// extension type `arrow.json`, and a `Uuid` is 16 bytes with `arrow.uuid`. A `Decimal` has 57 digits, 28 of them
    /// after the point, so every value fits. A tuple is a struct with the fields `0`, `1`, and so on. A duration is at
    /// most 292 years long.
    ///
    /// Descriptions, defaults and examples are metadata of the fields, as JSON where they are values; the description,
    /// the names of the primary key and `append_only` are metadata of the schema. Defaults are evaluated by this call.
    ///
    /// ```
    /// use arrow_schema::DataType;
    /// use pathway_io::Schema;
    ///
    /// #[derive(Schema)]
    /// struct Cat {
    ///     #[schema(primary_key)]
    ///     key: i64,
    ///     names: Vec<String>,
    /// }
    ///
    /// let schema = Cat::schema().arrow_schema();
    /// assert_eq!(schema.field(0).data_type(), &DataType::Int64);
    /// assert_eq!(schema.metadata()["primary_key"], r#"["key"]"#);
    /// ```
    #[must_use]
    pub fn arrow_schema(&self) -> Schema {
        let fields: Vec<Field> = self.columns.iter().map(of_column).collect();
        let mut metadata = Metadata::from([("name", self.name)]);
        if !self.description.is_empty() {
            metadata.insert("description", self.description);
        }
        if self.has_key() {
            let key: serde_json::Value = self.primary_key().map(|column| column.name).collect();
            metadata.insert("primary_key", key.to_string());
        }
        if self.append_only {
            metadata.insert("append_only", "true");
        }
        Schema::new_with_metadata(fields, metadata)
    }
}

fn of_column(column: &Column) -> Field {
    // JSON's null is not a null of Arrow, but the text `null`.
    let mut field = field(column.name, &column.data_type, column.optional);
    let metadata = field.metadata_mut();
    if !column.description.is_empty() {
        metadata.insert("description", column.description);
    }
    if let Some(default) = column.default_value() {
        metadata.insert("default", default.to_string());
    }
    if let Some(example) = column.example_value() {
        metadata.insert("example", example.to_string());
    }
    field
}

fn field(name: &str, data_type: &DataType, nullable: bool) -> Field {
    if let DataType::Optional(item) = data_type {
        return field(name, item, true);
    }
    let field = Field::new(name, arrow_type(data_type), nullable);
    let extension = match data_type {
        DataType::Json => "arrow.json",
        DataType::Uuid => "arrow.uuid",
        _ => return field,
    };
    field.with_metadata([("ARROW:extension:name", extension), ("ARROW:extension:metadata", "")])
}

fn arrow_type(data_type: &DataType) -> ArrowType {
    let utc = || Some(Arc::from("UTC"));
    match data_type {
        DataType::Bool => ArrowType::Boolean,
        DataType::I8 => ArrowType::Int8,
        DataType::I16 => ArrowType::Int16,
        DataType::I32 => ArrowType::Int32,
        DataType::I64 => ArrowType::Int64,
        DataType::U8 => ArrowType::UInt8,
        DataType::U16 => ArrowType::UInt16,
        DataType::U32 => ArrowType::UInt32,
        DataType::U64 => ArrowType::UInt64,
        DataType::F32 => ArrowType::Float32,
        DataType::F64 => ArrowType::Float64,
        // Arrow has no unsigned decimal of exactly 128 bits.
        DataType::I128 | DataType::U128 => ArrowType::Decimal256(39, 0),
        DataType::Str | DataType::Json => ArrowType::Utf8,
        DataType::Bytes => ArrowType::Binary,
        DataType::Duration | DataType::SignedDuration => ArrowType::Duration(TimeUnit::Nanosecond),
        DataType::Date => ArrowType::Date32,
        DataType::Time => ArrowType::Time64(TimeUnit::Nanosecond),
        DataType::DateTime => ArrowType::Timestamp(TimeUnit::Nanosecond, None),
        DataType::Timestamp | DataType::OffsetDateTime => ArrowType::Timestamp(TimeUnit::Nanosecond, utc()),
        DataType::Uuid => ArrowType::FixedSizeBinary(16),
        DataType::Decimal => ArrowType::Decimal256(57, 28),
        DataType::Map(item) => {
            let fields = vec![Field::new("keys", ArrowType::Utf8, false), field("values", item, false)];
            ArrowType::Map(Arc::new(Field::new("entries", ArrowType::Struct(Fields::from(fields)), false)), true)
        }
        DataType::Optional(item) => arrow_type(item),
        DataType::List(item) => ArrowType::List(Arc::new(field("item", item, false))),
        DataType::Array(item, len) => {
            // A row with a longer array would not fit into memory.
            let len = i32::try_from(*len).unwrap_or(i32::MAX);
            ArrowType::FixedSizeList(Arc::new(field("item", item, false)), len)
        }
        DataType::Tuple(items) => {
            let items = items.iter().enumerate().map(|(index, item)| field(&index.to_string(), item, false));
            ArrowType::Struct(Fields::from(items.collect::<Vec<_>>()))
        }
    }
}

#[cfg(test)]
mod tests;
