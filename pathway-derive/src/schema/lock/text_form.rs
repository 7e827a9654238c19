//! A column's type as far as it can be told from how it is written, in the terms of a lock.

use super::super::sample::Shape;
use crate::files::data_type::DataType;
use crate::schema::ast::Column;
use crate::types::option_of;

/// Returns the type without its `Option`, and whether it is an `Option`. `None` if only the compiler knows the type.
pub fn data_type(column: &Column) -> Option<(DataType, bool)> {
    if column.is_json() {
        return Some((DataType::Plain("Value"), option_of(column.ty).is_some()));
    }
    match Shape::of_column(column) {
        Shape::Option(item) => Some((of_shape(&item)?, true)),
        shape => Some((of_shape(&shape)?, false)),
    }
}

/// Returns the type of a part of a column's type.
pub fn of_shape(shape: &Shape) -> Option<DataType> {
    Some(match shape {
        Shape::Bool => DataType::Plain("bool"),
        Shape::Integer { name, .. } => DataType::Plain(name),
        Shape::Wide(name) => DataType::Plain(name),
        Shape::F32 => DataType::Plain("f32"),
        Shape::F64 => DataType::Plain("f64"),
        Shape::Char | Shape::String => DataType::Plain("String"),
        Shape::Bytes => DataType::Bytes,
        Shape::Duration => DataType::Plain("Duration"),
        Shape::Option(item) => DataType::Optional(Box::new(of_shape(item)?)),
        Shape::List(item) => DataType::list(of_shape(item)?),
        Shape::Array(item, len) => DataType::Array(Box::new(of_shape(item)?), (*len)?),
        Shape::Tuple(items) => DataType::Tuple(items.iter().map(of_shape).collect::<Option<_>>()?),
        Shape::Unknown => return None,
    })
}
