//! Whatever a log of checkpoints holds, it is gone on with or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pathway_io::fuzz::checkpoint(data));
