//! The CSV writer writes what the `csv` crate does, and that reads it back.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pathway_io::fuzz::csv(data));
