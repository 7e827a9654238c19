//! The quarantine file: any bytes are read back, and their reason is on one line.

use base64::Engine as _;
use pathway_io::{BadRows, Pipeline, ReadOptions};
use proptest::prelude::*;
use serde_json::Value;

use crate::common::{Number, Subject, TempDir, pipeline, read, run, source};

/// Bytes that are not a row, of every kind.
fn raw() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        any::<String>().prop_map(String::into_bytes),
        (0..5000_usize).prop_map(|levels| "[".repeat(levels).into_bytes()),
        proptest::sample::select(vec!["\0", "\u{feff}", "\r\n", "\u{2028}", "{\"n\": \"\\ud800\"}"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn bad_rows_are_read_back_equal(rows in prop::collection::vec((raw(), any::<String>()), 1..8), is_persistent in any::<bool>()) {
        let directory = TempDir::new();
        let pipeline = if is_persistent { Pipeline::persistent(directory.path("state")).unwrap() } else { pipeline() };
        pipeline.handle_signals(false);
        let pushed = rows.clone();
        pipeline.read_with(
            source(move |numbers: Subject<Number, u64>| {
                for (raw, reason) in &pushed {
                    numbers.reject(raw, reason)?;
                }
                Ok(numbers.advance(1)?)
            }),
            ReadOptions::new().name("numbers").bad_rows(BadRows::Quarantine(directory.path("bad.jsonl"))),
        );
        run(pipeline).unwrap();
        let file = read(directory.path("bad.jsonl"));
        prop_assert_eq!(file.lines().count(), rows.len());
        for (line, (raw, reason)) in file.lines().zip(&rows) {
            let line: Value = serde_json::from_str(line).unwrap();
            let kept = match &line["raw"] {
                Value::String(text) => text.as_bytes().to_vec(),
                _ => base64::prelude::BASE64_STANDARD.decode(line["raw_base64"].as_str().unwrap()).unwrap(),
            };
            prop_assert_eq!(&kept, raw);
            let told = line["reason"].as_str().unwrap();
            prop_assert!(!told.contains(char::is_control), "{}", told);
            if !reason.contains(char::is_control) {
                prop_assert!(told.ends_with(reason.as_str()), "{}", told);
            }
        }
    }
}
