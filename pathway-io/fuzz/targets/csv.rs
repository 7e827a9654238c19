//! Checks that the CSV writer writes the same bytes as the `csv` crate, and that the `csv` crate reads them back.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pathway_io::fuzz::csv(data));
