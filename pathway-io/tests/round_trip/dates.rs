//! The column types of other crates, at the ends of their ranges.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use jiff::civil;
use jiff::{SignedDuration, Timestamp};
use pathway_io::Schema;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{integer, or, paths};

#[derive(Schema)]
#[cfg_attr(not(feature = "dataflow"), derive(Clone, Debug))]
#[cfg_attr(feature = "dataflow", schema(dataflow))]
struct Others {
    #[schema(primary_key)]
    key: i64,
    date: civil::Date,
    clock: civil::Time,
    date_time: civil::DateTime,
    timestamp: Timestamp,
    span: SignedDuration,
    naive_date: NaiveDate,
    naive_time: NaiveTime,
    naive_date_time: NaiveDateTime,
    utc: DateTime<Utc>,
    offset: DateTime<FixedOffset>,
    offsets: Vec<Option<DateTime<FixedOffset>>>,
    delta: TimeDelta,
    decimal: Decimal,
    decimals: (Decimal, Option<Decimal>),
    uuid: Uuid,
    bytes: bytes::Bytes,
}

fn utc() -> BoxedStrategy<DateTime<Utc>> {
    let ends = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, DateTime::UNIX_EPOCH];
    or(&ends, any::<i64>().prop_map(DateTime::from_timestamp_nanos))
}

fn offset() -> impl Strategy<Value = DateTime<FixedOffset>> {
    (utc(), or(&[0, 7200, -7200, 86_399, -86_399], -86_399..86_400_i32))
        .prop_map(|(utc, east)| utc.with_timezone(&FixedOffset::east_opt(east).unwrap()))
}

fn timestamp() -> BoxedStrategy<Timestamp> {
    or(
        &[Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH],
        any::<i64>().prop_map(|nanos| Timestamp::from_nanosecond(nanos.into()).unwrap()),
    )
}

fn decimal() -> BoxedStrategy<Decimal> {
    let ends = [Decimal::MIN, Decimal::MAX, Decimal::new(0, 28), Decimal::new(-1, 28), Decimal::new(120, 2)];
    or(&ends, (any::<i64>(), 0..=28_u32).prop_map(|(digits, scale)| Decimal::new(digits, scale)))
}

fn row() -> impl Strategy<Value = Others> {
    let civil = (
        timestamp().prop_map(|timestamp| jiff::tz::Offset::UTC.to_datetime(timestamp)),
        proptest::sample::select(vec![civil::DateTime::MIN, civil::DateTime::MAX]),
        any::<bool>(),
    )
        .prop_map(|(any, end, is_end)| if is_end { end } else { any });
    let naive = (utc(), any::<bool>(), any::<bool>()).prop_map(|(utc, is_end, is_last)| match (is_end, is_last) {
        (true, true) => NaiveDateTime::MAX,
        (true, false) => NaiveDateTime::MIN,
        (false, _) => utc.naive_utc(),
    });
    let spans = (
        or(
            &[SignedDuration::MIN, SignedDuration::MAX, SignedDuration::ZERO],
            any::<i64>().prop_map(SignedDuration::from_nanos),
        ),
        or(&[TimeDelta::MIN, TimeDelta::MAX, TimeDelta::zero()], any::<i64>().prop_map(TimeDelta::nanoseconds)),
    );
    let decimals = (decimal(), decimal(), option::of(decimal()));
    let others = (integer(&[0, u128::MAX]).prop_map(Uuid::from_u128), any::<Vec<u8>>());
    (civil, timestamp(), naive, utc(), offset(), vec(option::of(offset()), 0..3), spans, decimals, others).prop_map(
        |(
            date_time,
            timestamp,
            naive,
            utc,
            offset,
            offsets,
            (span, delta),
            (decimal, first, second),
            (uuid, bytes),
        )| Others {
            key: 0,
            date: date_time.date(),
            clock: date_time.time(),
            date_time,
            timestamp,
            span,
            naive_date: naive.date(),
            naive_time: naive.time(),
            naive_date_time: naive,
            utc,
            offset,
            offsets,
            delta,
            decimal,
            decimals: (first, second),
            uuid,
            bytes: bytes.into(),
        },
    )
}

#[test]
fn rows_of_other_crates_are_read_back_equal() {
    let rows = vec(row(), 1..6).prop_map(|mut rows| {
        (0..).zip(&mut rows).for_each(|(key, row)| row.key = key);
        rows
    });
    paths::hold(rows, |row| row.key);
}
