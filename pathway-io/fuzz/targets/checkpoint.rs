//! Checks that the library either continues a log or refuses it with an error, whatever bytes the log has.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pathway_io::fuzz::checkpoint(data));
