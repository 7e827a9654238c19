//! Runs `connector_tests!` on the connectors of the examples. Each example has its suite at its end. Cargo builds
//! examples without their tests, so this file includes them.

#![allow(dead_code, reason = "the rest of each example is its program")]

#[path = "../callback.rs"]
mod callback;
#[path = "../cats.rs"]
mod cats;
#[path = "../sensors.rs"]
mod sensors;
#[path = "../tail.rs"]
mod tail;
