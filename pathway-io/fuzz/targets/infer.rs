//! Checks that `infer` prints a struct or returns an error, for any sample.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pathway_io::fuzz::infer(data));
