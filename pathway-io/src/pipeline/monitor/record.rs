//! Publishing a snapshot through the `metrics` facade.
//!
//! The metrics are made from the JSON form of the snapshot, so the documented rule for their names also holds for
//! fields that are added later.

use std::collections::HashSet;
use std::iter;

use metrics::{Label, counter, gauge};
use serde_json::{Map, Value};

use super::{Monitor, SinkState, SourceState};

/// The fields whose numbers only grow.
const COUNTERS: &[&str] = &["rows", "bad_rows", "commits", "attempts", "updates", "retries", "refused"];

impl Monitor {
    /// Publishes a snapshot through the [`metrics`](https://docs.rs/metrics) facade (feature `metrics`).
    ///
    /// Install an exporter, such as `metrics-exporter-prometheus`, and call this each time before the metrics are read,
    /// or a few times a second.
    ///
    /// The name of a metric is `pathway_`, then the path of the number in the JSON form of
    /// [`Snapshot`](super::Snapshot), with underscores. The fields of [`SourceStatus`](super::SourceStatus) and
    /// [`SinkStatus`](super::SinkStatus) explain the numbers.
    ///
    /// | metrics | kind | labels |
    /// |---|---|---|
    /// | `pathway_source_rows_total`, `.._bad_rows_total`, `.._commits_total`, `.._attempts_total` | counter | `source` |
    /// | `pathway_source_backlog_rows`, `.._backlog_bytes`, `.._in_flight_rows`, `.._in_flight_bytes` | gauge | `source` |
    /// | `pathway_source_since_last_row_seconds`, `pathway_source_backing_off_until` (Unix milliseconds) | gauge | `source` |
    /// | `pathway_source_state`: 1 for the current state, 0 for the others | gauge | `source`, `state` |
    /// | `pathway_sink_updates_total`, `.._commits_total`, `.._retries_total`, `.._refused_total` | counter | `sink` |
    /// | `pathway_sink_undelivered`, `pathway_sink_lag_seconds` | gauge | `sink` |
    /// | `pathway_sink_state`: 1 for the current state, 0 for the others | gauge | `sink`, `state` |
    /// | `pathway_checkpoint_time` (Unix milliseconds), `.._age_seconds`, `.._duration_seconds`, `.._log_bytes` | gauge | |
    /// | `pathway_clock_time` (Unix milliseconds), `pathway_clock_ahead_seconds` | gauge | |
    ///
    /// A second sink with the same name gets a label that ends in `-2`. A field that is `null` is not published, so the
    /// last value of its metric stays in the exporter.
    ///
    /// ```
    /// # use pathway_io::Pipeline;
    /// let pipeline = Pipeline::new();
    /// let monitor = pipeline.monitor();
    /// pipeline.run()?;
    /// monitor.record();
    /// # Ok::<(), pathway_io::Error>(())
    /// ```
    pub fn record(&self) {
        let Ok(Value::Object(snapshot)) = serde_json::to_value(self.snapshot()) else { return };
        for (name, value) in &snapshot {
            match (name.as_str(), value) {
                ("sources", Value::Array(sources)) => parts("source", &SourceState::NAMES, sources),
                ("sinks", Value::Array(sinks)) => parts("sink", &SinkState::NAMES, sinks),
                (_, Value::Object(fields)) => numbers(&format!("pathway_{name}"), fields, &[], 0),
                _ => {}
            }
        }
    }
}

/// Publishes the sources or the sinks.
fn parts(kind: &'static str, states: &[&'static str], parts: &[Value]) {
    let mut seen = HashSet::new();
    for part in parts.iter().filter_map(Value::as_object) {
        let name = part.get("name").and_then(Value::as_str).unwrap_or_default();
        // Other parts can have a name that ends in a number.
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let Some(name) = iter::once(name.to_owned()).chain(numbered).find(|name| seen.insert(name.clone())) else {
            continue;
        };
        let label = Label::new(kind, name);
        let prefix = format!("pathway_{kind}");
        for state in states {
            let is_present = part.get("state").and_then(Value::as_str) == Some(state);
            let labels = vec![label.clone(), Label::new("state", *state)];
            gauge!(format!("{prefix}_state"), labels).set(f64::from(u8::from(is_present)));
        }
        numbers(&prefix, part, &[label], 0);
    }
}

/// Publishes the numbers of an object and of the objects inside it.
fn numbers(prefix: &str, fields: &Map<String, Value>, labels: &[Label], depth: usize) {
    for (field, value) in fields {
        let name = format!("{prefix}_{field}");
        match value {
            Value::Object(inner) => numbers(&name, inner, labels, depth + 1),
            Value::Number(number) if depth == 0 && COUNTERS.contains(&field.as_str()) => {
                counter!(format!("{name}_total"), labels.to_vec()).absolute(number.as_u64().unwrap_or_default());
            }
            Value::Number(number) => gauge!(name, labels.to_vec()).set(number.as_f64().unwrap_or_default()),
            _ => {}
        }
    }
}
