//! Metrics follow one rule.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use pathway_io::{ReadOptions, Subject};

use crate::common::{Number, pipeline, run, source};

/// Keeps what is published, in the form of Prometheus' text.
#[derive(Default)]
struct Kept {
    counters: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    gauges: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
}

fn text(key: &Key) -> String {
    let labels: Vec<String> = key.labels().map(|label| format!("{}=\"{}\"", label.key(), label.value())).collect();
    if labels.is_empty() { key.name().to_owned() } else { format!("{}{{{}}}", key.name(), labels.join(",")) }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(self.counters.lock().unwrap().entry(text(key)).or_default()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::clone(self.gauges.lock().unwrap().entry(text(key)).or_default()))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn each_number_of_a_snapshot_is_published_under_its_path() {
    let pipeline = pipeline();
    let monitor = pipeline.monitor();
    let numbers = source(|rows: Subject<Number>| {
        rows.next(Number { n: 1 })?;
        rows.next(Number { n: 2 })?;
        Ok(())
    });
    let table = pipeline.read_with(numbers, ReadOptions::new().name("numbers"));
    table.subscribe(|_| {});
    table.subscribe_commits(|_| {});
    run(pipeline).unwrap();
    let kept = Kept::default();
    // The second call sets the counters again, and does not add to them.
    metrics::with_local_recorder(&kept, || (monitor.record(), monitor.record()));

    let counters = kept.counters.into_inner().unwrap();
    let counters: Vec<(&str, u64)> =
        counters.iter().map(|(name, value)| (&**name, value.load(Ordering::Relaxed))).collect();
    let expected = [
        ("pathway_sink_commits_total{sink=\"numbers\"}", 1),
        ("pathway_sink_commits_total{sink=\"numbers-2\"}", 1),
        ("pathway_sink_refused_total{sink=\"numbers\"}", 0),
        ("pathway_sink_refused_total{sink=\"numbers-2\"}", 0),
        ("pathway_sink_retries_total{sink=\"numbers\"}", 0),
        ("pathway_sink_retries_total{sink=\"numbers-2\"}", 0),
        ("pathway_sink_updates_total{sink=\"numbers\"}", 2),
        ("pathway_sink_updates_total{sink=\"numbers-2\"}", 2),
        ("pathway_source_attempts_total{source=\"numbers\"}", 1),
        ("pathway_source_bad_rows_total{source=\"numbers\"}", 0),
        ("pathway_source_commits_total{source=\"numbers\"}", 1),
        ("pathway_source_rows_total{source=\"numbers\"}", 2),
    ];
    assert_eq!(counters, expected);

    let gauges = kept.gauges.into_inner().unwrap();
    let gauge = |name: &str| gauges.get(name).map(|value| f64::from_bits(value.load(Ordering::Relaxed)));
    assert_eq!(gauge("pathway_source_backlog_rows{source=\"numbers\"}"), Some(0.0));
    assert_eq!(gauge("pathway_sink_lag_seconds{sink=\"numbers-2\"}"), Some(0.0));
    assert_eq!(gauge("pathway_source_state{source=\"numbers\",state=\"ended\"}"), Some(1.0));
    assert_eq!(gauge("pathway_source_state{source=\"numbers\",state=\"running\"}"), Some(0.0));
    assert!(gauge("pathway_clock_time").is_some_and(|time| time > 1.6e12));
    // Fields that are null or no numbers are omitted.
    assert!(!gauges.keys().any(|name| name.contains("backing_off_until") || name.contains("last_error")));
}

#[test]
fn parts_of_any_names_have_labels_of_their_own() {
    let pipeline = pipeline();
    let monitor = pipeline.monitor();
    let one_row = || source(|rows: Subject<Number>| Ok(rows.next(Number { n: 1 })?));
    for (name, sinks) in [("numbers", 2), ("numbers-2", 1)] {
        let table = pipeline.read_with(one_row(), ReadOptions::new().name(name));
        (0..sinks).for_each(|_| table.subscribe(|_| {}));
    }
    run(pipeline).unwrap();
    let kept = Kept::default();
    metrics::with_local_recorder(&kept, || monitor.record());
    let counters = kept.counters.into_inner().unwrap();
    let sinks: Vec<&str> = counters.keys().filter_map(|name| name.strip_prefix("pathway_sink_updates_total")).collect();
    assert_eq!(sinks, ["{sink=\"numbers\"}", "{sink=\"numbers-2\"}", "{sink=\"numbers-2-2\"}"]);
}
