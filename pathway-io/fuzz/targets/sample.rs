//! The reader of samples in the macros takes any file.
#![no_main]

// A crate of macros has nothing to give to another but macros.
#[allow(dead_code)]
#[path = "../../../pathway-derive/src/files/mod.rs"]
mod files;

libfuzzer_sys::fuzz_target!(|data: &[u8]| files::fuzz::sample(data));
