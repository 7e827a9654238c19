//! The scan of plain rows and serde_json give the same row, or both none.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pathway_io::fuzz::next_json(data));
