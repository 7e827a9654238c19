//! What `infer` prints of any sample is a struct.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pathway_io::fuzz::infer(data));
