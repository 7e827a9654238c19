//! Runs `callback` as a program.

mod support;

use support::Program;

#[test]
fn each_event_of_the_sdk_is_an_update_and_a_stop_ends_it() {
    let end = Program::start("callback", [""; 0]).end().succeeded();
    let expected = ["+1 door 1 Ann", "+1 door 2 Bob", "-1 door 1 Ann", "+1 door 1 Cleo", "-1 door 2 Bob"];
    assert_eq!(end.stdout.lines().collect::<Vec<_>>(), expected);
}
