//! The types of the standard library that are stored as other types, or are strings in JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::{check, read, text, text_of};
use crate::rows::column::ColumnType;
use crate::rows::column::raw_json::RawJson;

fn instant() -> impl Strategy<Value = SystemTime> {
    any::<i64>().prop_map(|nanos| {
        let length = std::time::Duration::from_nanos(nanos.unsigned_abs());
        if nanos < 0 { SystemTime::UNIX_EPOCH - length } else { SystemTime::UNIX_EPOCH + length }
    })
}

hold_for! {
    sizes: any::<usize>();
    signed_sizes: any::<isize>();
    wide: prop_oneof![any::<i128>(), any::<i64>().prop_map(i128::from), Just(i128::MIN), Just(i128::MAX)];
    wide_unsigned: prop_oneof![any::<u128>(), any::<u64>().prop_map(u128::from), Just(u128::MAX)];
    nonzero: any::<i64>().prop_filter_map("zero", NonZero::new);
    nonzero_wide: any::<u128>().prop_filter_map("zero", NonZero::new);
    characters: any::<char>();
    boxed_texts: text().prop_map(Box::<str>::from);
    shared_texts: text().prop_map(Arc::<str>::from);
    borrowed_texts: text().prop_map(Cow::<'static, str>::Owned);
    paths: text().prop_map(PathBuf::from);
    boxes: option::of((any::<i64>(), text())).prop_map(|item| item.map(Box::new));
    addresses: any::<IpAddr>();
    addresses_of_4: any::<Ipv4Addr>();
    addresses_of_6: any::<Ipv6Addr>();
    sockets: any::<SocketAddr>().prop_map(|socket| SocketAddr::new(socket.ip(), socket.port()));
    instants: instant();
    maps: btree_map(text(), option::of(any::<i64>()), 0..4);
    maps_of_maps: btree_map(text(), btree_map(text(), vec(any::<bool>(), 0..3), 0..3), 0..3);
    lists_of_maps: vec(btree_map(text(), text(), 0..3), 0..3);
    sets: btree_set(text(), 0..4);
    sets_of_bytes: btree_set(any::<u8>(), 0..4);
    raw: text().prop_map(|text| RawJson::new(serde_json::json!({ "text": text }).to_string()).unwrap());
    optional: option::of((any::<char>(), any::<usize>()));
}

#[test]
fn maps_and_sets_have_one_form() {
    let map = HashMap::from([("b".to_owned(), 1_u8), ("a".to_owned(), 2), ("c".to_owned(), 3)]);
    assert_eq!(text_of(map), r#"{"a":2,"b":1,"c":3}"#);
    let map = read::<BTreeMap<String, u8>>(r#"{"b": 1, "a": 2}"#).unwrap();
    assert_eq!(map, BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]));
    let twice = read::<BTreeMap<String, u8>>(r#"{"b": 1, "a": 2, "b": 3}"#).unwrap_err();
    assert_eq!(twice, "the name \"b\" is given twice in one object");
    assert_eq!(text_of(read::<BTreeSet<String>>(r#"["b", "a", "b"]"#).unwrap()), r#"["a","b"]"#);
    assert_eq!(<HashMap<String, Option<u8>>>::DATA_TYPE.to_string(), "Map<String, Option<u8>>");
}

#[derive(pathway_derive::ColumnType, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[column(crate = crate)]
struct Socket(SocketAddrV6);

/// The text of a socket address lacks the flow label.
#[test]
fn a_set_has_each_stored_value_once() {
    let items = [(1, 0), (1, 1), (2, 0), (2, 1)]
        .map(|(flow_label, scope)| SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, flow_label, scope));
    let text = r#"["[::1]:80","[::1%1]:80"]"#;
    assert_eq!(text_of(BTreeSet::from(items)), text);
    assert_eq!(text_of(HashSet::from(items)), text);
    assert_eq!(text_of(Some(Box::new(HashSet::from(items.map(SocketAddr::V6))))), text);
    assert_eq!(text_of(BTreeSet::from(items.map(Socket))), text);
    assert_eq!(text_of(BTreeSet::from(items.map(Box::new))), text);
    let nested = r#"[["[::1]:80"],["[::1%1]:80"]]"#;
    assert_eq!(text_of(BTreeSet::from(items.map(|item| (item,)))), nested);
    assert_eq!(text_of(BTreeSet::from(items.map(|item| [item]))), nested);
    assert_eq!(text_of(BTreeSet::from(items.map(|item| vec![item]))), nested);
    let early = SystemTime::UNIX_EPOCH.checked_sub(std::time::Duration::from_secs(40_000_000_000_000));
    let set: BTreeSet<SystemTime> =
        early.iter().flat_map(|early| [*early, *early + std::time::Duration::from_secs(1)]).collect();
    assert_eq!(text_of(set), if early.is_some() { r#"["-999999-01-01T00:00:00Z"]"# } else { "[]" });
}

#[test]
fn raw_json_is_kept_as_it_is() {
    let text = r#"{"b": 0.10, "a": [123456789012345678901234567890, "\u0041"]}"#;
    let raw = read::<RawJson>(text).unwrap();
    assert_eq!(raw.as_str(), text);
    assert_eq!(text_of(raw), text);
    assert_eq!(text_of(read::<RawJson>("{\n \"a\": 1\r\n}").unwrap()), "{  \"a\": 1  }");
    assert_eq!(read::<Option<RawJson>>("null"), Ok(None));
    assert_eq!(text_of(Some(RawJson::new(" null ").unwrap())), "");
    assert!(RawJson::new("1 2").is_err());
}

#[test]
fn wide_integers_are_numbers_up_to_64_bits() {
    let json = |value: i128| {
        let mut buffer = <i128 as ColumnType>::Buffer::default();
        super::Buffer::push(&mut buffer, value);
        String::from_utf8(super::json(&buffer, 0)).unwrap()
    };
    assert_eq!(json(u64::MAX.into()), "18446744073709551615");
    assert_eq!(json(i128::from(u64::MAX) + 1), "\"18446744073709551616\"");
    assert_eq!(json(i64::MIN.into()), "-9223372036854775808");
    assert_eq!(json(i128::from(i64::MIN) - 1), "\"-9223372036854775809\"");
    assert_eq!(read::<u128>("\"7\""), Ok(7));
    assert_eq!(
        read::<u128>("18446744073709551616").unwrap_err(),
        "an integer beyond 64 bits must be a string in JSON: as a number it loses digits"
    );
    assert_eq!(
        read::<u128>("\"x\"").unwrap_err(),
        "expected a `u128` in a number of 64 bits or a string, found the string \"x\""
    );
    assert_eq!(read::<u128>("-1").unwrap_err(), "-1 is out of range for `u128`");
}

#[test]
fn values_of_other_types_are_refused() {
    assert_eq!(read::<char>("\"ab\"").unwrap_err(), "expected a single character, found \"ab\"");
    assert_eq!(read::<char>("\"\"").unwrap_err(), "expected a single character, found \"\"");
    assert_eq!(read::<NonZero<u8>>("0").unwrap_err(), "expected an integer other than 0, found the number 0");
    assert_eq!(read::<NonZero<u8>>("256").unwrap_err(), "256 is out of range for `u8`");
    assert_eq!(
        read::<Ipv4Addr>("\"1.2.3\"").unwrap_err(),
        "expected an IPv4 address like `192.0.2.1`, found the string \"1.2.3\""
    );
    assert_eq!(read::<IpAddr>("\"::ffff:0:1\"").map(text_of).as_deref(), Ok("::ffff:0.0.0.1"));
    assert_eq!(read::<BTreeMap<String, u8>>("[]").unwrap_err(), "expected a `Map<String, u8>`, found a list");
    assert_eq!(read::<BTreeMap<String, u8>>(r#"{"a": "b"}"#).unwrap_err(), "expected a `u8`, found the string \"b\"");
}

#[cfg(unix)]
#[test]
#[should_panic(expected = "is not UTF-8, so it cannot be a column")]
fn a_path_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    text_of(PathBuf::from(std::ffi::OsString::from_vec(vec![b'a', 0xff])));
}
