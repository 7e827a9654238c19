//! The dates and times of `jiff` and `chrono`: the promises of every buffer, the text form, and the refused texts.

use std::fmt::Debug;

use proptest::prelude::*;

use super::{check, read, text_of};
use crate::rows::column::{Buffer, ColumnType};

const SECOND: u32 = 1_000_000_000;

/// Nanoseconds of all lengths of fraction.
fn nanos() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(SECOND - 1), 0..SECOND, (0..1000_u32).prop_map(|millis| millis * 1_000_000)]
}

/// Returns the error for a text in a column.
fn fault<T: ColumnType + Debug>(text: &str) -> String {
    read::<T>(&format!("{text:?}")).unwrap_err()
}

/// Checks the texts that a type reads, each with the text that it writes.
fn forms<T: ColumnType + Debug>(texts: &[(&str, &str)]) {
    for (text, own) in texts {
        match read::<T>(&format!("{text:?}")) {
            Ok(value) => assert_eq!(text_of(value), *own),
            Err(error) => panic!("{error}"),
        }
    }
}

fn date_forms<T: ColumnType + Debug>() {
    forms::<T>(&[
        ("2021-03-21", "2021-03-21"),
        ("2024-02-29", "2024-02-29"),
        ("0000-01-01", "0000-01-01"),
        ("9999-12-31", "9999-12-31"),
        ("-0001-12-31", "-000001-12-31"),
        ("-009999-01-01", "-009999-01-01"),
        ("+002021-03-21", "2021-03-21"),
    ]);
    let wanted = "expected a `Date` like `2021-03-21`, found";
    assert_eq!(fault::<T>("2021-02-29"), format!("{wanted} the string \"2021-02-29\": the day does not exist"));
    assert_eq!(fault::<T>("2021-00-10"), format!("{wanted} the string \"2021-00-10\": the day does not exist"));
    assert_eq!(
        fault::<T>("2021-03-21T18:34"),
        format!("{wanted} the string \"2021-03-21T18:34\": a `Date` has no time of day")
    );
    for text in [
        "",
        "today",
        "20210321",
        "2021-3-21",
        "2021-03-2",
        "2021-03-211",
        "21/03/2021",
        "+021-03-21",
        "-+2021-03-21",
        "2021-03-²1",
    ] {
        assert_eq!(fault::<T>(text), format!("{wanted} the string {text:?}"));
    }
    assert_eq!(read::<T>("20210321").unwrap_err(), format!("{wanted} the number 20210321"));
    assert_eq!(read::<T>("null").unwrap_err(), format!("{wanted} null, which only an `Option<Date>` takes"));
}

fn time_forms<T: ColumnType + Debug>() {
    forms::<T>(&[
        ("18:34:12", "18:34:12"),
        ("18:34", "18:34:00"),
        ("00:00:00.000", "00:00:00"),
        ("18:34:12.5", "18:34:12.5"),
        ("18:34:12.120000000", "18:34:12.12"),
        ("23:59:59.999999999", "23:59:59.999999999"),
        ("00:00:00.000000001", "00:00:00.000000001"),
    ]);
    let wanted = "expected a `Time` like `18:34:12`, found the string";
    for text in ["24:00:00", "18:60:00", "18:34:61"] {
        assert_eq!(fault::<T>(text), format!("{wanted} {text:?}: the time of day does not exist"));
    }
    assert_eq!(fault::<T>("18:34:12Z"), format!("{wanted} \"18:34:12Z\": a `Time` has no offset"));
    assert_eq!(
        fault::<T>("18:34:12.0123456789"),
        format!("{wanted} \"18:34:12.0123456789\": it has more than nine digits of a second")
    );
    for text in ["", "6 pm", "6:34:12", "18", "18:34:", "18:34:12.", "18:34:12,5", "183412"] {
        assert_eq!(fault::<T>(text), format!("{wanted} {text:?}"));
    }
}

fn date_time_forms<T: ColumnType + Debug>() {
    forms::<T>(&[
        ("2021-03-21T18:34:12", "2021-03-21T18:34:12"),
        ("2021-03-21 18:34:12.123456000", "2021-03-21T18:34:12.123456"),
        ("1900-01-01t00:00", "1900-01-01T00:00:00"),
    ]);
    let wanted = "expected a `DateTime` like `2021-03-21T18:34:12`, found the string";
    for text in ["2021-03-21T18:34:12Z", "2021-03-21T18:34:12+01:00"] {
        assert_eq!(fault::<T>(text), format!("{wanted} {text:?}: a `DateTime` has no offset"));
    }
    assert_eq!(fault::<T>("2021-03-21"), format!("{wanted} \"2021-03-21\": its time of day is missing"));
    assert_eq!(fault::<T>("2021-02-30T00:00"), format!("{wanted} \"2021-02-30T00:00\": the day does not exist"));
    assert_eq!(fault::<T>("2021-03-21T"), format!("{wanted} \"2021-03-21T\""));
}

fn timestamp_forms<T: ColumnType + Debug>() {
    forms::<T>(&[
        ("2021-03-21T18:34:12Z", "2021-03-21T18:34:12Z"),
        ("2021-03-21t18:34:12.50z", "2021-03-21T18:34:12.5Z"),
        ("2021-03-21T18:34:12+01:00", "2021-03-21T17:34:12Z"),
        ("2021-03-21T18:34:12.000000000+0000", "2021-03-21T18:34:12Z"),
        ("2021-03-21 18:34:12-05", "2021-03-21T23:34:12Z"),
        ("2021-03-21T23:34:12-00:30:15", "2021-03-22T00:04:27Z"),
    ]);
    let wanted = "expected a `Timestamp` like `2021-03-21T18:34:12Z`, found the string";
    assert_eq!(fault::<T>("2021-03-21T18:34:12"), format!("{wanted} \"2021-03-21T18:34:12\": its offset is missing"));
    for text in ["2021-03-21T18:34:12+24:00", "2021-03-21T18:34:12+01:60"] {
        assert_eq!(fault::<T>(text), format!("{wanted} {text:?}: the offset does not exist"));
    }
    for text in
        ["2021-03-21T18:34:12+1", "2021-03-21T18:34:12+01:", "2021-03-21T18:34:12Zulu", "2021-03-21T18:34:12 UTC"]
    {
        assert_eq!(fault::<T>(text), format!("{wanted} {text:?}"));
    }
    assert!(read::<T>("1616351652").unwrap_err().ends_with("found the number 1616351652"));
}

fn signed_duration_forms<T: ColumnType + Debug>() {
    for text in ["0", "-1000000000", "86400000005000", "-1"] {
        assert_eq!(text_of(read::<T>(text).unwrap()), text);
    }
    let beyond = i128::MAX.to_string();
    assert_eq!(read::<T>(&beyond).unwrap_err(), format!("{beyond} is out of range for `SignedDuration`"));
    assert_eq!(T::DATA_TYPE.to_string(), "SignedDuration");
}

#[cfg(feature = "jiff")]
mod of_jiff {
    use jiff::civil::{Date, DateTime, Time};
    use jiff::{SignedDuration, Timestamp};
    use proptest::collection::vec;
    use proptest::option;

    use super::*;

    fn timestamp() -> impl Strategy<Value = Timestamp> {
        let seconds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
        prop_oneof![
            (seconds, nanos()).prop_filter_map("out of range", |(seconds, nanos)| Timestamp::new(
                seconds,
                nanos.cast_signed()
            )
            .ok()),
            proptest::sample::select(vec![Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH]),
        ]
    }

    fn date_time() -> impl Strategy<Value = DateTime> {
        let any = timestamp().prop_map(|timestamp| jiff::tz::Offset::UTC.to_datetime(timestamp));
        prop_oneof![any, Just(DateTime::MIN), Just(DateTime::MAX)]
    }

    fn signed_duration() -> impl Strategy<Value = SignedDuration> {
        let wide =
            (any::<i64>(), nanos()).prop_map(|(seconds, nanos)| SignedDuration::new(seconds / 2, nanos.cast_signed()));
        let near = any::<i64>().prop_map(SignedDuration::from_nanos);
        prop_oneof![wide, near, Just(SignedDuration::MIN), Just(SignedDuration::MAX)]
    }

    hold_for! {
        dates: date_time().prop_map(DateTime::date);
        times: date_time().prop_map(DateTime::time);
        date_times: date_time();
        timestamps: timestamp();
        signed_durations: signed_duration();
        nested: (option::of(timestamp()), vec(date_time(), 0..3), [signed_duration()]);
    }

    #[test]
    fn has_the_forms_of_iso_8601() {
        date_forms::<Date>();
        time_forms::<Time>();
        date_time_forms::<DateTime>();
        timestamp_forms::<Timestamp>();
        signed_duration_forms::<SignedDuration>();
        // There are no leap seconds.
        forms::<Time>(&[("23:59:60.5", "23:59:59.5")]);
        for text in ["9999-12-31T00:00Z", "-009999-01-01T00:00Z"] {
            assert!(fault::<Timestamp>(text).ends_with(": it is out of range"));
        }
        assert!(fault::<Date>("+010000-01-01").ends_with(": the day does not exist"));
    }

    proptest! {
        #[test]
        fn writes_what_jiff_reads_and_reads_what_jiff_writes(timestamp in timestamp(), date_time in date_time()) {
            prop_assert_eq!(text_of(timestamp), timestamp.to_string());
            prop_assert_eq!(text_of(date_time), date_time.to_string());
            prop_assert_eq!(text_of(date_time.date()), date_time.date().to_string());
            prop_assert_eq!(text_of(date_time.time()), date_time.time().to_string());
        }
    }
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
    use proptest::collection::vec;
    use proptest::option;

    use super::*;

    /// Times with leap seconds.
    fn time() -> impl Strategy<Value = NaiveTime> {
        let leap = (0..1440_u32, nanos()).prop_map(|(minute, nanos)| (minute * 60 + 59, nanos + SECOND));
        prop_oneof![(0..86_400_u32, nanos()), leap].prop_filter_map("no time", |(seconds, nanos)| {
            NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)
        })
    }

    fn date() -> impl Strategy<Value = NaiveDate> {
        let days = NaiveDate::MIN.to_epoch_days()..=NaiveDate::MAX.to_epoch_days();
        let near = -800_000..3_000_000;
        prop_oneof![days, near].prop_filter_map("no day", NaiveDate::from_epoch_days)
    }

    fn date_time() -> impl Strategy<Value = NaiveDateTime> {
        let any = (date(), time()).prop_map(|(date, time)| date.and_time(time));
        prop_oneof![any, Just(NaiveDateTime::MIN), Just(NaiveDateTime::MAX)]
    }

    fn offset_date_time() -> impl Strategy<Value = DateTime<FixedOffset>> {
        let offset = prop_oneof![Just(0), (-1439..1440_i32).prop_map(|minutes| minutes * 60)];
        (date_time(), offset).prop_filter_map("beyond the calendar", |(local, east)| {
            local.and_local_timezone(FixedOffset::east_opt(east)?).single()
        })
    }

    fn time_delta() -> impl Strategy<Value = TimeDelta> {
        let wide =
            (any::<i64>(), nanos()).prop_filter_map("beyond", |(millis, nanos)| TimeDelta::new(millis / 1000, nanos));
        let near = any::<i64>().prop_map(TimeDelta::nanoseconds);
        prop_oneof![wide, near, Just(TimeDelta::MIN), Just(TimeDelta::MAX)]
    }

    hold_for! {
        dates: date();
        times: time();
        date_times: date_time();
        timestamps: date_time().prop_map(|utc| utc.and_utc());
        offset_date_times: offset_date_time();
        time_deltas: time_delta();
        nested: (option::of(offset_date_time()), vec(date_time(), 0..3), [time_delta()]);
    }

    #[test]
    fn has_the_forms_of_iso_8601() {
        date_forms::<NaiveDate>();
        time_forms::<NaiveTime>();
        date_time_forms::<NaiveDateTime>();
        timestamp_forms::<DateTime<Utc>>();
        signed_duration_forms::<TimeDelta>();
        forms::<NaiveTime>(&[("23:59:60.5", "23:59:60.5")]);
        forms::<NaiveDate>(&[("+12345-01-01", "+012345-01-01")]);
        assert_eq!(text_of(NaiveDateTime::MAX), "+262142-12-31T23:59:59.999999999");
        assert!(fault::<NaiveDate>("+300000-01-01").ends_with(": the day does not exist"));
    }

    #[test]
    fn keeps_the_offset() {
        forms::<DateTime<FixedOffset>>(&[
            ("2021-03-21T18:34:12+01:00", "2021-03-21T18:34:12+01:00"),
            ("2021-03-21T18:34:12Z", "2021-03-21T18:34:12+00:00"),
            ("2021-03-21T18:34:12-0530", "2021-03-21T18:34:12-05:30"),
            ("2021-03-21T18:34:12+00:00:01", "2021-03-21T18:34:12+00:00:01"),
        ]);
        assert_eq!(
            fault::<DateTime<FixedOffset>>("2021-03-21"),
            "expected an `OffsetDateTime` like `2021-03-21T18:34:12+01:00`, found the string \"2021-03-21\": \
             its time of day is missing"
        );
        // One instant, but two values.
        let instants = ["\"2021-03-21T18:34:12+01:00\"", "\"2021-03-21T17:34:12Z\""];
        let [here, there] = instants.map(|text| read::<DateTime<FixedOffset>>(text).unwrap());
        assert_eq!(here, there);
        check(&[here, there]);
    }

    // FAULTS 49: of the same kind
    #[test]
    fn a_leap_second_within_a_minute_is_the_value_that_is_read_back() {
        fn holds<T: ColumnType + Debug + Clone>(value: T) {
            let text = text_of(value.clone());
            let back: T = read(&format!("{text:?}")).unwrap();
            let [mut pushed, mut again] = [T::Buffer::default(), T::Buffer::default()];
            pushed.push(value);
            again.push(back);
            assert!(pushed.equal(0, &again, 0), "{text}");
        }
        for second in [0, 30, 58, 59] {
            let time = NaiveTime::from_hms_opt(12, 0, second).unwrap().with_nanosecond(SECOND + 5).unwrap();
            let date_time = NaiveDate::from_ymd_opt(2021, 3, 21).unwrap().and_time(time);
            holds(time);
            holds(date_time);
            holds(date_time.and_utc());
            for east in [0, 1, -1, 3600, 3601] {
                holds(date_time.and_utc().with_timezone(&FixedOffset::east_opt(east).unwrap()));
            }
        }
    }

    // FAULTS 49
    #[test]
    fn is_equal_after_a_round_trip_at_the_ends_of_the_calendar() {
        let ends = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC];
        for east in [0, 1, 7200, 86_399].into_iter().flat_map(|east| [east, -east]) {
            let offset = FixedOffset::east_opt(east).unwrap();
            for (end, inwards) in ends.into_iter().zip([1, -1]) {
                for seconds in [0, 1, 3600, 86_398, 86_399, 86_400, 200_000] {
                    let moved = (end + TimeDelta::seconds(inwards * seconds)).with_timezone(&offset);
                    let text = text_of(moved);
                    let back = read::<DateTime<FixedOffset>>(&format!("{text:?}")).unwrap();
                    assert_eq!((back.naive_utc(), back.offset()), (moved.naive_utc(), moved.offset()), "{text}");
                    assert_eq!(read::<DateTime<Utc>>(&format!("{text:?}")), Ok(moved.to_utc()), "{text}");
                }
            }
        }
        let last = DateTime::<Utc>::MAX_UTC.with_timezone(&FixedOffset::east_opt(7200).unwrap());
        assert_eq!(text_of(last), "+262143-01-01T01:59:59.999999999+02:00");
        for beyond in [
            "+262143-01-01T02:00:00+02:00",
            "+262143-01-01T00:00:00-02:00",
            "+262143-01-02T00:00:00+02:00",
            "-262144-12-31T21:59:59-02:00",
            "-262144-12-30T23:00:00-02:00",
        ] {
            assert!(read::<DateTime<FixedOffset>>(&format!("{beyond:?}")).is_err(), "{beyond}");
        }
    }

    proptest! {
        #[test]
        fn writes_what_chrono_reads_and_reads_what_chrono_writes(moment in offset_date_time(), date_time in date_time()) {
            prop_assert_eq!(text_of(moment).parse(), Ok(moment));
            prop_assert_eq!(read(&format!("\"{moment:?}\"")), Ok(moment));
            prop_assert_eq!(text_of(date_time).parse(), Ok(date_time));
            prop_assert_eq!(read(&format!("\"{date_time:?}\"")), Ok(date_time));
        }
    }
}
