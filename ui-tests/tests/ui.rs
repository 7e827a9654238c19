//! Checks that each mistake gives one error, at the culprit, and that correct programs compile.
//!
//! `TRYBUILD=overwrite cargo test -p ui-tests` stores new messages. Read them before you commit them.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("schema/*.rs");
    cases.compile_fail("connector/*.rs");
    cases.compile_fail("use/*.rs");
    cases.compile_fail("dataflow/*.rs");
    cases.pass("pass/*.rs");
}
