//! Each mistake gives one error, at the culprit; what is right compiles.
//!
//! `TRYBUILD=overwrite cargo test -p ui-tests` blesses new messages; read them before they are committed.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("schema/*.rs");
    cases.compile_fail("connector/*.rs");
    cases.compile_fail("use/*.rs");
    cases.compile_fail("dataflow/*.rs");
    cases.pass("pass/*.rs");
}
