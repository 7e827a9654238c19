//! Checks that the scan and serde_json decode the same row, or both refuse it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pathway_io::fuzz::next_json(data));
