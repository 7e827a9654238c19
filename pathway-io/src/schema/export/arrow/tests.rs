//! Each type of a column in Arrow.

use arrow_schema::{DataType as ArrowType, Field, TimeUnit};

use super::field;
use crate::rows::data_type::DataType;

fn shown(data_type: DataType) -> String {
    field("c", &data_type, false).data_type().to_string()
}

#[test]
fn each_type_has_one_in_arrow() {
    let utc = ArrowType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())).to_string();
    for (data_type, arrow) in [
        (DataType::Bool, "Boolean"),
        (DataType::I8, "Int8"),
        (DataType::U64, "UInt64"),
        (DataType::F32, "Float32"),
        (DataType::Str, "Utf8"),
        (DataType::Json, "Utf8"),
        (DataType::Bytes, "Binary"),
        (DataType::Duration, "Duration(ns)"),
        (DataType::Date, "Date32"),
        (DataType::Time, "Time64(ns)"),
        (DataType::DateTime, "Timestamp(ns)"),
        (DataType::Timestamp, &utc),
        (DataType::OffsetDateTime, &utc),
        (DataType::Uuid, "FixedSizeBinary(16)"),
        (DataType::Decimal, "Decimal256(57, 28)"),
    ] {
        assert_eq!(shown(data_type), arrow);
    }
}

#[test]
fn nulls_are_told_at_every_depth() {
    let list = field("c", &DataType::List(&DataType::Optional(&DataType::I64)), true);
    let item = Field::new("item", ArrowType::Int64, true);
    assert!(list.is_nullable());
    assert_eq!(list.data_type(), &ArrowType::List(item.into()));
    let array = field("c", &DataType::Array(&DataType::U8, 4), false);
    assert_eq!(array.data_type(), &ArrowType::FixedSizeList(Field::new("item", ArrowType::UInt8, false).into(), 4));
    let pair = field("c", &DataType::Tuple(&[DataType::Bool, DataType::Optional(&DataType::Str)]), false);
    let fields = vec![Field::new("0", ArrowType::Boolean, false), Field::new("1", ArrowType::Utf8, true)];
    assert_eq!(pair.data_type(), &ArrowType::Struct(fields.into()));
}
