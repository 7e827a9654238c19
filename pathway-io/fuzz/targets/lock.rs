//! Checks the macros' reader of locks with any file. A lock that was read is printed and read again.
#![no_main]

// A macro crate cannot export the module, so the target includes its file.
#[allow(dead_code, reason = "the targets share the file, and each uses a part")]
#[path = "../../../pathway-derive/src/files/mod.rs"]
mod files;

libfuzzer_sys::fuzz_target!(|data: &[u8]| files::fuzz::lock(data));
