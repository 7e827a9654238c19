//! Rows for tests of sinks, as JSON, made from the description of a schema.

use serde_json::{Value, json};

use crate::rows::batch::Batch;
use crate::rows::data_type::DataType;
use crate::rows::schema::Schema;

/// A kind of value that outputs are known to lose or to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Null,
    Empty,
    Quotes,
    Nul,
    Extremes,
    NotFinite,
}

/// Returns an ordinary row. Rows with different numbers have different keys, if the types of the keys allow it.
pub(super) fn row<S: Schema>(number: u64) -> Result<Value, String> {
    let columns = S::SCHEMA.columns;
    let mut row: serde_json::Map<String, Value> =
        columns.iter().map(|column| (column.name.to_owned(), ordinary(&column.data_type, number))).collect();
    // A user's type, such as an enum, can refuse a value that its data type allows. The column's example is used then.
    for _ in columns {
        let Some(column) = refused::<S>(&row) else { break };
        let column = columns.iter().find(|known| known.name == column).ok_or("a row is refused as a whole")?;
        let value = column.example_value().or_else(|| column.optional.then_some(Value::Null));
        let value = value.ok_or_else(|| {
            format!(
                "the kit knows no value for the column `{}`: give it one with `#[schema(example = ..)]`",
                column.name
            )
        })?;
        row.insert(column.name.to_owned(), value);
    }
    match refused::<S>(&row) {
        None => Ok(Value::Object(row)),
        Some(column) => Err(format!("the example of the column `{column}` does not fit the column")),
    }
}

/// Returns the column whose value is refused, if any.
fn refused<S: Schema>(row: &serde_json::Map<String, Value>) -> Option<String> {
    let error = Batch::<S>::default().push_value(&Value::Object(row.clone())).err()?;
    Some(error.column().unwrap_or_default().to_owned())
}

/// Returns rows with special values, each in one column only, with the name of the column.
pub(super) fn special<S: Schema>(kind: ValueKind) -> Result<Vec<(&'static str, Value)>, String> {
    let mut rows = Vec::new();
    let mut number = 100;
    for column in S::SCHEMA.columns {
        let mut values = specials(&column.data_type, kind);
        if kind == ValueKind::Null && column.optional {
            values.push(Value::Null);
        }
        for value in values {
            let mut special = row::<S>(number)?;
            special[column.name] = value;
            // A type need not have all values of its data type.
            if Batch::<S>::default().push_value(&special).is_ok() {
                rows.push((column.name, special));
                number += 1;
            }
        }
    }
    Ok(rows)
}

fn ordinary(ty: &DataType, n: u64) -> Value {
    let day = n % 28 + 1;
    match ty {
        DataType::Bool => json!(n % 2 == 1),
        DataType::I8 | DataType::U8 => json!(n % 128),
        DataType::F32 | DataType::F64 => json!(n as f64 + 0.5),
        DataType::Str => json!(format!("row {n}")),
        DataType::Bytes => base64(format!("row {n}").as_bytes()),
        DataType::Json => json!({"n": n}),
        DataType::Date => json!(format!("2021-03-{day:02}")),
        DataType::Time => json!(format!("18:34:{day:02}.5")),
        DataType::DateTime => json!(format!("2021-03-{day:02}T18:34:12.5")),
        DataType::Timestamp => json!(format!("2021-03-{day:02}T18:34:12.5Z")),
        DataType::OffsetDateTime => json!(format!("2021-03-{day:02}T18:34:12.5+01:00")),
        DataType::Uuid => json!(format!("00000000-0000-0000-0000-{n:012}")),
        DataType::Decimal => json!(format!("{n}.50")),
        DataType::Map(item) => json!({"key": ordinary(item, n)}),
        DataType::Optional(item) => ordinary(item, n),
        DataType::List(item) => json!([ordinary(item, n), ordinary(item, n + 1)]),
        DataType::Array(item, len) => (n..).take(*len).map(|n| ordinary(item, n)).collect(),
        DataType::Tuple(items) => items.iter().map(|item| ordinary(item, n)).collect(),
        // The other numbers.
        _ => json!(n),
    }
}

fn specials(ty: &DataType, kind: ValueKind) -> Vec<Value> {
    match ty {
        DataType::Optional(item) => {
            let mut values = specials(item, kind);
            values.extend((kind == ValueKind::Null).then_some(Value::Null));
            values
        }
        DataType::List(item) => {
            let mut values: Vec<Value> = specials(item, kind).into_iter().map(|value| json!([value])).collect();
            values.extend((kind == ValueKind::Empty).then(|| json!([])));
            values
        }
        DataType::Map(item) => {
            let mut values: Vec<Value> = specials(item, kind).into_iter().map(|value| json!({"key": value})).collect();
            values.extend(texts(kind).into_iter().map(|key| json!({key: ordinary(item, 1)})));
            values.extend((kind == ValueKind::Empty).then(|| json!({})));
            values
        }
        DataType::Array(item, len) => {
            specials(item, kind).into_iter().map(|value| Value::Array(vec![value; *len])).collect()
        }
        DataType::Tuple(items) => {
            let of_item = |(place, item): (usize, &DataType)| {
                let tuple = move |value| {
                    let other = |(n, other)| if n == place { Clone::clone(&value) } else { ordinary(other, 1) };
                    items.iter().enumerate().map(other).collect::<Value>()
                };
                specials(item, kind).into_iter().map(tuple).collect::<Vec<_>>()
            };
            items.iter().enumerate().flat_map(of_item).collect()
        }
        DataType::Str => texts(kind).into_iter().map(Value::from).collect(),
        DataType::Json => {
            let mut values: Vec<Value> = texts(kind).into_iter().map(Value::from).collect();
            values.extend((kind == ValueKind::Extremes).then(|| json!([u64::MAX, i64::MIN, f64::MAX, {"a": [[]]}])));
            values
        }
        DataType::Bytes => match kind {
            ValueKind::Empty => vec![json!("")],
            ValueKind::Nul => vec![base64(b"\0"), base64(b"a\0b")],
            ValueKind::Quotes => vec![base64(b"\"',;\\\r\n")],
            ValueKind::Extremes => vec![base64(&(0..=255).collect::<Vec<u8>>())],
            ValueKind::Null | ValueKind::NotFinite => Vec::new(),
        },
        DataType::F32 | DataType::F64 if kind == ValueKind::NotFinite => {
            vec![json!("NaN"), json!("Infinity"), json!("-Infinity")]
        }
        _ if kind == ValueKind::Extremes => extremes(ty),
        _ => Vec::new(),
    }
}

fn texts(kind: ValueKind) -> Vec<String> {
    let texts: &[&str] = match kind {
        ValueKind::Empty => &[""],
        ValueKind::Quotes => {
            &["\"", "\"\"", "'", "a,b", "a;b", "\\", "\\N", "\n", "a\r\nb", "\t", " a ", "NULL", "null"]
        }
        ValueKind::Nul => &["\0", "a\0b", "\0\0"],
        ValueKind::Extremes => &["\u{e9}", "e\u{301}", "\u{1f600}", "\u{10ffff}", "\u{feff}", "\u{1}\u{1f}\u{7f}"],
        ValueKind::Null | ValueKind::NotFinite => &[],
    };
    let mut texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    if kind == ValueKind::Extremes {
        texts.push("long".repeat(20_000));
    }
    texts
}

fn extremes(ty: &DataType) -> Vec<Value> {
    match ty {
        DataType::Bool => vec![json!(false), json!(true)],
        DataType::I8 => vec![json!(i8::MIN), json!(i8::MAX)],
        DataType::I16 => vec![json!(i16::MIN), json!(i16::MAX)],
        DataType::I32 => vec![json!(i32::MIN), json!(i32::MAX)],
        DataType::I64 => vec![json!(i64::MIN), json!(i64::MAX), json!((1_i64 << 53) + 1)],
        DataType::U8 => vec![json!(0), json!(u8::MAX)],
        DataType::U16 => vec![json!(0), json!(u16::MAX)],
        DataType::U32 => vec![json!(0), json!(u32::MAX)],
        DataType::U64 => vec![json!(0), json!(u64::MAX), json!(1_u64 << 63)],
        DataType::I128 => vec![json!(i128::MIN.to_string()), json!(i128::MAX.to_string())],
        DataType::U128 => vec![json!(0), json!(u128::MAX.to_string())],
        DataType::F32 => vec![json!(f32::MAX), json!(f32::MIN), json!(f32::MIN_POSITIVE), json!(0.1_f32)],
        DataType::F64 => vec![json!(f64::MAX), json!(f64::MIN), json!(5e-324), json!(0.1), json!(0.0)],
        DataType::Duration => vec![json!(0), json!(u64::MAX)],
        DataType::SignedDuration => vec![json!(i64::MIN), json!(i64::MAX)],
        DataType::Date => vec![json!("0001-01-01"), json!("1969-12-31"), json!("9999-12-31")],
        DataType::Time => vec![json!("00:00:00"), json!("23:59:59.999999999")],
        DataType::DateTime => vec![json!("0001-01-01T00:00:00"), json!("9999-12-31T23:59:59.999999999")],
        DataType::Timestamp => vec![
            json!("0001-01-02T00:00:00Z"),
            json!("1969-12-31T23:59:59.999999999Z"),
            json!("9999-12-30T22:00:00.999999999Z"),
        ],
        DataType::OffsetDateTime => vec![json!("0001-01-03T00:00:00-12:00"), json!("9999-12-29T00:00:00+14:00")],
        DataType::Uuid => {
            vec![json!("00000000-0000-0000-0000-000000000000"), json!("ffffffff-ffff-ffff-ffff-ffffffffffff")]
        }
        DataType::Decimal => vec![json!("79228162514264337593543950335"), json!("-0.0000000000000000000000000001")],
        _ => Vec::new(),
    }
}

fn base64(bytes: &[u8]) -> Value {
    use base64::Engine as _;
    json!(base64::prelude::BASE64_STANDARD.encode(bytes))
}
