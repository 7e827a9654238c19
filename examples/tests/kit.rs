//! The connectors of the examples under `connector_tests!`: each example has its suite at its end, which is run from here, since
//! cargo builds examples without their tests.

#![allow(dead_code, reason = "the rest of each example is its program")]

#[path = "../callback.rs"]
mod callback;
#[path = "../cats.rs"]
mod cats;
#[path = "../sensors.rs"]
mod sensors;
#[path = "../tail.rs"]
mod tail;
