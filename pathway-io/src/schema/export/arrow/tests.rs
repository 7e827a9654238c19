//! Each type of a column in Arrow.

use std::collections::BTreeMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal256Type, Time64NanosecondType, UInt32Type};
use arrow_schema::{DataType as ArrowType, Field, TimeUnit};

use super::field;
use crate::Schema;
use crate::rows::batch::{Batch, Pool};
use crate::rows::commit::Commit;
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

#[cfg(feature = "parquet")]
#[derive(Schema)]
#[schema(crate = crate)]
struct Spot {
    place: Option<[f64; 2]>,
    others: Vec<[i128; 2]>,
}

/// pyarrow does not read a null in a list of a fixed size.
#[cfg(feature = "parquet")]
#[test]
fn an_array_is_a_list_in_a_file() {
    let list = |item, nullable| ArrowType::List(Field::new("item", item, nullable).into());
    let schema = super::batch::schema_for_files(<Spot as Schema>::SCHEMA);
    assert_eq!(schema.field(0).data_type(), &list(ArrowType::Float64, false));
    assert!(schema.field(0).is_nullable());
    assert_eq!(schema.field(1).data_type(), &list(list(ArrowType::Utf8, false), false));
}

#[derive(Schema)]
#[schema(crate = crate)]
struct Wide {
    signed: i128,
    unsigned: u128,
    optional: Option<i128>,
    list: Vec<u128>,
    counts: BTreeMap<String, u32>,
    totals: Option<BTreeMap<String, u128>>,
}

#[test]
fn wide_integers_and_maps_keep_their_values() {
    let mut batch = Batch::<Wide>::default();
    let rows = [
        Wide {
            signed: i128::MIN,
            unsigned: u128::MAX,
            optional: None,
            list: vec![],
            counts: BTreeMap::new(),
            totals: None,
        },
        Wide {
            signed: i128::MAX,
            unsigned: 0,
            optional: Some(-1),
            list: vec![7, u128::from(u64::MAX) + 1, u128::MAX],
            counts: BTreeMap::from([("a".into(), 1), ("b\"".into(), u32::MAX)]),
            totals: Some(BTreeMap::from([("all".into(), u128::MAX)])),
        },
    ];
    for row in rows {
        batch.push_times(row.into_fields(), 1);
    }
    let arrow = Commit::new(1, vec![batch], Pool::new()).record_batch().unwrap();
    let column = |name: &str| arrow.column_by_name(name).unwrap();
    let wide = |array: &dyn Array| -> Vec<Option<String>> {
        array.as_primitive::<Decimal256Type>().iter().map(|value| value.map(|value| value.to_string())).collect()
    };
    let texts = |values: &[Option<&dyn ToString>]| -> Vec<Option<String>> {
        values.iter().map(|value| value.map(|value| value.to_string())).collect()
    };
    assert_eq!(wide(column("signed")), texts(&[Some(&i128::MIN), Some(&i128::MAX)]));
    assert_eq!(wide(column("unsigned")), texts(&[Some(&u128::MAX), Some(&0)]));
    assert_eq!(wide(column("optional")), texts(&[None, Some(&-1)]));
    let list = column("list").as_list::<i32>();
    assert_eq!(list.value_length(0), 0);
    assert_eq!(wide(&*list.value(1)), texts(&[Some(&7), Some(&(u128::from(u64::MAX) + 1)), Some(&u128::MAX)]));
    let counts = column("counts").as_map();
    assert_eq!((counts.value_length(0), counts.value_length(1)), (0, 2));
    assert_eq!(counts.keys().as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["a", "b\""]);
    assert_eq!(counts.values().as_primitive::<UInt32Type>().values().to_vec(), [1, u32::MAX]);
    let totals = column("totals").as_map();
    assert!(totals.is_null(0) && totals.is_valid(1));
    assert_eq!(wide(totals.values()), texts(&[Some(&u128::MAX)]));
}

#[cfg(feature = "chrono")]
#[derive(Schema)]
#[schema(crate = crate)]
struct Alarm {
    at: chrono::NaiveTime,
    others: Vec<chrono::NaiveTime>,
}

/// Readers refuse a column with a time of 24 hours.
#[cfg(feature = "chrono")]
#[test]
fn a_leap_second_at_the_end_of_a_day_is_a_time_of_that_day() {
    let mut batch = Batch::<Alarm>::default();
    for (hour, minute) in [(12, 30), (23, 59)] {
        let at = chrono::NaiveTime::from_hms_nano_opt(hour, minute, 59, 1_500_000_000).unwrap();
        batch.push_times(Alarm { at, others: vec![at] }.into_fields(), 1);
    }
    let arrow = Commit::new(1, vec![batch], Pool::new()).record_batch().unwrap();
    let second =
        |hour: i64, minute: i64, second: i64| ((hour * 60 + minute) * 60 + second) * 1_000_000_000 + 500_000_000;
    let wanted = [second(12, 31, 0), second(23, 59, 59)];
    assert_eq!(arrow.column(0).as_primitive::<Time64NanosecondType>().values()[..], wanted);
    let others = arrow.column(1).as_list::<i32>().values().clone();
    assert_eq!(others.as_primitive::<Time64NanosecondType>().values()[..], wanted);
}
