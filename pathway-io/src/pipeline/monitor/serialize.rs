//! `Serialize` for snapshots, written by hand because the runtime does not depend on serde's derive.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::snapshot::{
    CheckpointStatus, ClockStatus, Load, SinkState, SinkStatus, Snapshot, SourceState, SourceStatus,
};
use crate::run::summary::Stop;

/// Implements `Serialize` for a struct. Each entry has a name, and an expression for its value.
macro_rules! serialize {
    ($Type:ident |$this:ident| { $($name:literal: $value:expr),+ $(,)? }) => {
        impl Serialize for $Type {
            fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                let $this = self;
                let mut object = serializer.serialize_struct(stringify!($Type), [$($name),+].len())?;
                $(object.serialize_field($name, $value)?;)+
                object.end()
            }
        }
    };
}

serialize!(Snapshot |this| {
    "sources": &this.sources,
    "sinks": &this.sinks,
    "checkpoint": &this.checkpoint,
    "clock": &this.clock,
    "stop": &this.stop.map(|stop| match stop {
        Stop::Handle => "handle",
        Stop::Signal(_) => "signal",
        Stop::Failure => "failure",
    }),
});

serialize!(SourceStatus |this| {
    "name": &this.name,
    "state": this.state.name(),
    "backing_off_until": &match this.state {
        SourceState::BackingOff { until } => Some(until),
        _ => None,
    },
    "rows": &this.rows,
    "bad_rows": &this.bad_rows,
    "commits": &this.commits,
    "attempts": &this.attempts,
    "backlog": &this.backlog,
    "in_flight": &this.in_flight,
    "since_last_row_seconds": &this.since_last_row.map(|since| since.as_secs_f64()),
    "last_error": &this.last_error,
});

serialize!(Load |this| { "rows": &this.rows, "bytes": &this.bytes });

serialize!(SinkStatus |this| {
    "name": &this.name,
    "state": this.state.name(),
    "updates": &this.updates,
    "commits": &this.commits,
    "undelivered": &this.undelivered,
    "lag_seconds": &this.lag.as_secs_f64(),
    "retries": &this.retries,
    "refused": &this.refused,
    "last_error": &this.last_error,
});

serialize!(CheckpointStatus |this| {
    "time": &this.time,
    "age_seconds": &this.age.as_secs_f64(),
    "duration_seconds": &this.duration.as_secs_f64(),
    "log_bytes": &this.log_bytes,
});

serialize!(ClockStatus |this| { "time": &this.time, "ahead_seconds": &this.ahead.as_secs_f64() });

impl Serialize for SourceState {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for SinkState {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_str(self.name())
    }
}
