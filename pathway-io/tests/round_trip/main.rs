//! Every value that a push accepts can be written and read back equal: by the log, the quarantine file, JSON Lines,
//! SQLite and the engine. The test uses values of every column type, with their extremes.

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "these tests use only a part of it")]
mod common;
#[cfg(all(feature = "bytes", feature = "chrono", feature = "jiff", feature = "rust_decimal", feature = "uuid"))]
mod dates;
mod paths;
mod quarantine;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pathway_io::{ColumnType, RawJson, Schema};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::{option, strategy::Union};
use serde_json::Value;

/// The names are those of the text forms.
#[derive(ColumnType, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[column(rename_all = "snake_case")]
enum Mood {
    Calm,
    #[column(rename = "a \"b\",\n\0")]
    Odd,
}

#[derive(ColumnType, Clone, Debug)]
struct Name(String);

#[derive(Schema)]
#[cfg_attr(not(feature = "dataflow"), derive(Clone, Debug))]
#[cfg_attr(feature = "dataflow", schema(dataflow))]
struct Numbers {
    flag: bool,
    signed: (i8, i16, i32, i64),
    unsigned: (u8, u16, u32, u64),
    key_like: u64,
    long: i64,
    wide: i128,
    unsigned_wide: u128,
    size: Option<usize>,
    nonzero: NonZero<i64>,
    float: f64,
    single: f32,
    floats: Vec<Option<f64>>,
    singles: [f32; 2],
    duration: Duration,
    instant: SystemTime,
}

#[derive(Schema)]
#[cfg_attr(not(feature = "dataflow"), derive(Clone, Debug))]
#[cfg_attr(feature = "dataflow", schema(dataflow))]
struct Std {
    #[schema(primary_key)]
    key: i64,
    #[schema(flatten)]
    numbers: Numbers,
    text: String,
    maybe: Option<String>,
    shared: Arc<str>,
    boxed: Box<str>,
    cow: Cow<'static, str>,
    letter: char,
    path: PathBuf,
    ip: IpAddr,
    socket: SocketAddr,
    mood: Option<Mood>,
    name: Name,
    bytes: Vec<u8>,
    value: Value,
    maybe_value: Option<Value>,
    values: Vec<Value>,
    raw: RawJson,
    #[schema(json)]
    json: Value,
    #[schema(json)]
    typed: Option<BTreeMap<String, Vec<u128>>>,
    texts: Vec<Option<String>>,
    lists: Vec<Vec<String>>,
    nested: Vec<(Option<i64>, [bool; 1], Vec<u8>)>,
    map: BTreeMap<String, Option<f64>>,
    set: BTreeSet<String>,
}

/// Returns any of these values, or a value of the strategy.
fn or<T: Clone + std::fmt::Debug + 'static>(
    extremes: &[T],
    any: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<T> {
    let extremes = extremes.to_vec();
    Union::new([proptest::sample::select(extremes).boxed(), any.boxed()]).boxed()
}

fn text() -> BoxedStrategy<String> {
    let extremes = [
        "",
        "\0",
        "a\0b",
        "\u{feff}",
        "\u{d7ff}\u{e000}\u{10ffff}",
        "\r\n\t\u{1f}\u{7f}\u{85}\u{2028}",
        "\"\\/",
        "null",
        "=1",
        "🐈",
    ];
    let mut extremes: Vec<String> = extremes.map(str::to_owned).to_vec();
    extremes.push("long \"\n".repeat(3000));
    or(&extremes, any::<String>())
}

fn float() -> BoxedStrategy<f64> {
    let extremes = [
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        1e21,
        0.1,
        9_007_199_254_740_993.0,
    ];
    or(&extremes, any::<f64>())
}

fn single() -> BoxedStrategy<f32> {
    or(&[0.0, -0.0, f32::NAN, f32::INFINITY, f32::MIN, f32::MAX, 1e-45, 0.1, 16_777_217.0], any::<f32>())
}

/// Values of all depths up to the limit.
fn value() -> BoxedStrategy<Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        float().prop_map(|float| serde_json::Number::from_f64(float).map_or(Value::Null, Value::Number)),
    ];
    let leaf =
        prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::Bool), number, text().prop_map(Value::String)];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            btree_map(text(), inner, 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    let deep = (1_usize..=100, any::<bool>(), any::<i64>()).prop_map(|(levels, is_object, leaf)| {
        (0..levels).fold(Value::from(leaf), |inner, _| match is_object {
            true => serde_json::json!({ "a": inner }),
            false => Value::Array(vec![inner]),
        })
    });
    prop_oneof![3 => tree, 1 => deep].boxed()
}

fn raw() -> BoxedStrategy<RawJson> {
    let extremes =
        ["1234567890123456789012345678901234567890.10", r#"{"a": 1, "a":2,"b":"\u0041\ud800"}"#, "[ 1e999 , -0.0 ]"];
    or(
        &extremes.map(|text| RawJson::new(text).unwrap()),
        value().prop_map(|value| RawJson::new(value.to_string()).unwrap()),
    )
}

fn integer<T>(extremes: &[T]) -> BoxedStrategy<T>
where
    T: Arbitrary + Clone + 'static,
    T::Strategy: 'static,
{
    or(extremes, any::<T>())
}

fn duration() -> BoxedStrategy<Duration> {
    let far = (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos));
    let near = any::<u64>().prop_map(Duration::from_nanos);
    or(
        &[Duration::ZERO, Duration::MAX, Duration::from_nanos(u64::MAX), Duration::from_nanos(1 << 63)],
        prop_oneof![far, near],
    )
}

fn instant() -> impl Strategy<Value = SystemTime> {
    // From year 0 to 9999.
    (-62_167_219_200..=253_402_300_799_i64, 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| {
        let magnitude = Duration::from_secs(seconds.unsigned_abs());
        let whole = if seconds < 0 { SystemTime::UNIX_EPOCH - magnitude } else { SystemTime::UNIX_EPOCH + magnitude };
        whole + Duration::from_nanos(u64::from(nanos / 100 * 100))
    })
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let signed = (
        integer(&[i8::MIN, i8::MAX]),
        integer(&[i16::MIN, i16::MAX]),
        integer(&[i32::MIN, i32::MAX]),
        integer(&[i64::MIN, i64::MAX]),
    );
    let unsigned = (
        integer(&[0, u8::MAX]),
        integer(&[0, u16::MAX]),
        integer(&[0, u32::MAX]),
        integer(&[0, u64::MAX, i64::MAX as u64 + 1]),
    );
    let wide = integer(&[i128::MIN, i128::MAX, i64::MIN.into(), i128::from(i64::MIN) - 1, i128::from(u64::MAX) + 1]);
    let unsigned_wide = integer(&[0, u128::MAX, u64::MAX.into(), u128::from(u64::MAX) + 1]);
    let integers =
        (signed, unsigned, integer(&[u64::MAX, 1 << 63]), integer(&[i64::MIN, i64::MAX]), wide, unsigned_wide);
    let size = option::of(integer(&[0, usize::MAX]));
    let nonzero = integer(&[i64::MIN, i64::MAX]).prop_map(|n| NonZero::new(n).unwrap_or(NonZero::<i64>::MIN));
    let floats = (float(), single(), vec(option::of(float()), 0..4), [single(), single()]);
    (any::<bool>(), integers, size, nonzero, floats, duration(), instant()).prop_map(
        |(flag, (signed, unsigned, key_like, long, wide, unsigned_wide), size, nonzero, floats, duration, instant)| {
            let (float, single, floats, singles) = floats;
            Numbers {
                flag,
                signed,
                unsigned,
                key_like,
                long,
                wide,
                unsigned_wide,
                size,
                nonzero,
                float,
                single,
                floats,
                singles,
                duration,
                instant,
            }
        },
    )
}

fn std_row() -> impl Strategy<Value = Std> {
    let texts = (text(), option::of(text()), text(), text(), text(), integer(&['\0', '\u{10ffff}', '\u{d7ff}']));
    let nets =
        (any::<IpAddr>(), any::<SocketAddr>(), option::of(proptest::sample::select(vec![Mood::Calm, Mood::Odd])));
    let bytes = or(&[vec![], vec![0; 5000]], any::<Vec<u8>>());
    let jsons = (value(), option::of(value()), vec(value(), 0..3), raw(), value());
    let typed = option::of(btree_map(text(), vec(integer(&[u128::MAX]), 0..3), 0..3));
    let many = Just(vec![Some("x".to_owned()); 5000]);
    let lists = (
        prop_oneof![9 => vec(option::of(text()), 0..4).boxed(), 1 => many.boxed()],
        vec(vec(text(), 0..3), 0..3),
        vec((option::of(any::<i64>()), [any::<bool>()], any::<Vec<u8>>()), 0..3),
        btree_map(text(), option::of(float()), 0..4),
        btree_set(text(), 0..4),
    );
    (numbers(), texts, text(), nets, text(), bytes, jsons, typed, lists).prop_map(
        |(
            numbers,
            (text, maybe, shared, boxed, cow, letter),
            path,
            (ip, socket, mood),
            name,
            bytes,
            jsons,
            typed,
            lists,
        )| {
            let (value, maybe_value, values, raw, json) = jsons;
            let (texts, lists, nested, map, set) = lists;
            Std {
                key: 0,
                numbers,
                text,
                maybe,
                shared: shared.into(),
                boxed: boxed.into(),
                cow: cow.into(),
                letter,
                path: path.into(),
                ip,
                socket,
                mood,
                name: Name(name),
                bytes,
                value,
                // In an `Option`, the null of JSON is `None`.
                maybe_value: maybe_value.filter(|value| !value.is_null()),
                values,
                raw,
                json,
                typed,
                texts,
                lists,
                nested,
                map,
                set,
            }
        },
    )
}

#[test]
fn rows_of_std_types_are_read_back_equal() {
    paths::hold(
        vec(std_row(), 1..6).prop_map(|mut rows| {
            (0..).zip(&mut rows).for_each(|(key, row)| row.key = key);
            rows
        }),
        |row| row.key,
    );
}
