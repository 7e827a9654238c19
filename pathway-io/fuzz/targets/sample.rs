//! Checks the macros' reader of samples with any file.
#![no_main]

// A macro crate cannot export the module, so the target includes its file.
#[allow(dead_code, reason = "the targets share the file, and each uses a part")]
#[path = "../../../pathway-derive/src/files/mod.rs"]
mod files;

libfuzzer_sys::fuzz_target!(|data: &[u8]| files::fuzz::sample(data));
