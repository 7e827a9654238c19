//! The fields of nested Arrow types.

use std::sync::Arc;

use arrow_schema::{DataType as ArrowType, Field, Fields};

/// Returns the field of a list's elements.
pub(super) fn item_field(arrow: &ArrowType) -> Arc<Field> {
    match arrow {
        ArrowType::List(field) | ArrowType::FixedSizeList(field, _) => Arc::clone(field),
        other => Arc::new(Field::new("item", other.clone(), true)),
    }
}

/// Returns the fields of a map's entries: the key and the value.
pub(super) fn entry_fields(arrow: &ArrowType) -> Fields {
    match arrow {
        ArrowType::Map(entries, _) => struct_fields(entries.data_type()),
        _ => Fields::empty(),
    }
}

pub(super) fn struct_fields(arrow: &ArrowType) -> Fields {
    match arrow {
        ArrowType::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    }
}
