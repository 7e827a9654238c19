//! The events and spans of `tracing`, also for idle sources and stalled pipelines.

use std::fmt::{self, Write as _};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pathway_io::testing::Clock;
use pathway_io::{Commit, ReadOptions, Restart, RunResult, Sink, Subject, TableSchema};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::common::{self, Number, next, source, within};
use crate::monitor::until;

/// Sends each span and each event as text.
struct Telling(Mutex<Sender<String>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Telling {
    fn tell(&self, kind: &str, metadata: &Metadata<'_>, fields: Fields) {
        // The send fails if nothing receives any more.
        let _ = self.0.lock().unwrap().send(format!("{kind} {}{}", metadata.level(), fields.0));
    }
}

impl Subscriber for Telling {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("pathway_io")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(String::new());
        span.record(&mut fields);
        self.tell(span.metadata().name(), span.metadata(), fields);
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.tell("event", event.metadata(), fields);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The spans and events of the whole program. Each test uses its own names.
fn told() -> &'static Mutex<Vec<Sender<String>>> {
    static LISTENERS: std::sync::OnceLock<&'static Mutex<Vec<Sender<String>>>> = std::sync::OnceLock::new();
    LISTENERS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<String>();
        let listeners: &'static Mutex<Vec<Sender<String>>> = Box::leak(Box::default());
        tracing::subscriber::set_global_default(Telling(Mutex::new(sender))).unwrap();
        std::thread::spawn(move || {
            for text in receiver {
                listeners.lock().unwrap().retain(|listener| listener.send(text.clone()).is_ok());
            }
        });
        listeners
    })
}

/// Each test of this file calls this first. If another thread reaches an event while the subscriber is being set,
/// `tracing` turns that event off for good.
fn listen() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    told().lock().unwrap().push(sender);
    // Tests of other files reach the spans, too.
    tracing::callsite::rebuild_interest_cache();
    receiver
}

/// Returns the next text that contains all parts.
#[track_caller]
fn hear(heard: &mpsc::Receiver<String>, parts: &[&str]) -> String {
    loop {
        let text = next(heard);
        if parts.iter().all(|part| text.contains(part)) {
            return text;
        }
    }
}

#[test]
fn sources_and_sinks_have_spans() {
    let heard = listen();
    let pipeline = common::pipeline();
    let table = pipeline
        .read_with(source(|rows: Subject<Number>| Ok(rows.next(Number { n: 1 })?)), ReadOptions::new().name("spanned"));
    table.subscribe(|_| {});
    within(move || pipeline.run()).unwrap();
    // In any order.
    let mut spans = Vec::new();
    while spans.len() < 2 {
        let text = next(&heard);
        if text.contains("=\"spanned\"") && !text.starts_with("event") {
            spans.push(text);
        }
    }
    spans.sort();
    assert_eq!(spans, ["sink INFO sink=\"spanned\"", "source INFO connector=\"spanned\""]);
}

/// A callback that pushes into the source that feeds it, which waits for room that only the callback can make.
#[test]
fn a_cycle_that_stalls_is_named() {
    let heard = listen();
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let monitor = pipeline.monitor();
    let subject = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&subject);
    let table = pipeline.read_with(
        source(move |rows: Subject<Number>| {
            *keep.lock().unwrap() = Some(rows.clone());
            rows.next(Number { n: 1 })?;
            rows.wait_closed()?;
            Ok(())
        }),
        ReadOptions::new().name("cyclic").backlog(2).autocommit(Duration::ZERO),
    );
    table.subscribe(move |update| {
        let rows = subject.lock().unwrap().clone().unwrap();
        for n in 0..3 {
            // After the stop, the push returns `Closed`.
            let _ = rows.next(Number { n: update.row.n + n });
        }
    });
    let running = pipeline.start().unwrap();
    clock.advance(Duration::from_millis(1));
    until(&monitor, |seen| seen.sources[0].state == pathway_io::monitor::SourceState::Backpressured);
    // The watchdog records the state, and a later check finds it unchanged.
    let warned = loop {
        clock.advance(Duration::from_secs(5));
        let mut texts = heard.try_iter();
        if let Some(text) = texts.find(|text| text.contains("stalled: source `cyclic`")) {
            break text;
        }
        assert!(clock.elapsed() < Duration::from_secs(5_000_000), "there is no warning");
        std::thread::yield_now();
    };
    assert!(warned.starts_with("event WARN"), "{warned}");
    assert!(warned.contains("connector=\"cyclic\" sinks=\"`cyclic`\" waited="), "{warned}");
    running.stop();
    within(move || running.join()).unwrap();
}

#[test]
fn an_idle_source_is_run_again() {
    let heard = listen();
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    // The loop below may advance the clock far before another thread runs. These durations are longer than that.
    let year = Duration::from_secs(31_536_000);
    pipeline.grace_period(year);
    let monitor = pipeline.monitor();
    let minute = Duration::from_secs(60);
    let mut attempts = 0;
    let silent = source(move |rows: Subject<Number>| {
        attempts += 1;
        rows.next(Number { n: attempts })?;
        if attempts == 3 {
            return Ok(());
        }
        // Like a dead connection: only the hook ends the wait.
        let (unblock, unblocked) = mpsc::channel::<()>();
        rows.on_interrupt(move || unblock.send(()));
        let _ = unblocked.recv();
        // The result does not matter: the error of a closed handle, or `Ok`.
        if attempts == 1 { Ok(rows.next(Number { n: 99 })?) } else { Ok(()) }
    });
    let options = ReadOptions::new().name("mute").idle(minute).restart(Restart::backoff(year..year));
    let table = pipeline.read_with(silent, options);
    let seen = common::commits(&table);
    let running = pipeline.start().unwrap();
    for attempt in 1..3 {
        until(&monitor, |seen| seen.sources[0].attempts == attempt && seen.sources[0].since_last_row.is_some());
        until(&monitor, |seen| seen.sources[0].rows + seen.sources[0].backlog.rows == u64::from(attempt));
        // The limit is not reached yet.
        clock.advance(minute - Duration::from_secs(1));
        assert_eq!(monitor.snapshot().sources[0].attempts, attempt);
        let error = "it pushed nothing for 60s, the limit of `ReadOptions::idle`";
        // The limit counts from the moment at which the watchdog noticed the row, which can be now.
        let backing = until(&monitor, |seen| {
            clock.advance(Duration::from_secs(1));
            seen.sources[0].state.name() == "backing_off"
        });
        hear(&heard, &["event WARN", "connector=\"mute\"", "idle=60s", "idle: it pushed nothing for 60s"]);
        assert_eq!(backing.sources[0].last_error.as_deref(), Some(error));
        clock.advance(year);
    }
    let summary = within(move || running.join()).unwrap();
    assert_eq!((summary.sources[0].attempts, summary.sources[0].rows), (3, 3));
    assert_eq!(common::updates(&seen).iter().map(|(row, _)| row.n).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn an_error_after_an_idle_attempt_is_a_failure() {
    let _heard = listen();
    let (clock, minute) = (Clock::new(), Duration::from_secs(60));
    let pipeline = clock.drive(common::pipeline());
    let monitor = pipeline.monitor();
    let mut attempts = 0;
    let silent = source(move |rows: Subject<Number>| {
        attempts += 1;
        if attempts == 1 { Ok(rows.wait_closed()?) } else { Err("the connection is lost".into()) }
    });
    let restart = Restart::backoff(minute..minute).attempts(2);
    let _table = pipeline.read_with(silent, ReadOptions::new().name("mute").idle(minute).restart(restart));
    let running = pipeline.start().unwrap();
    until(&monitor, |seen| seen.sources[0].attempts == 1);
    clock.advance(minute);
    until(&monitor, |seen| seen.sources[0].state.name() == "backing_off");
    clock.advance(minute);
    let error = within(move || running.join()).unwrap_err();
    assert_eq!(error.to_string(), "connector `mute` failed: the connection is lost");
}

#[test]
fn without_a_restart_an_idle_source_fails() {
    let _heard = listen();
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let monitor = pipeline.monitor();
    let silent = source(|rows: Subject<Number>| Ok(rows.wait_closed()?));
    let _table = pipeline.read_with(silent, ReadOptions::new().name("silent").idle(Duration::from_secs(60)));
    let running = pipeline.start().unwrap();
    until(&monitor, |seen| seen.sources[0].attempts == 1);
    clock.advance(Duration::from_secs(60));
    let error = within(move || running.join()).unwrap_err();
    let text = "it pushed nothing for 60s, the limit of `ReadOptions::idle`";
    assert!(error.to_string().contains("silent") && error.to_string().contains(text), "{error}");
    assert!(error.others().is_empty());
}

#[test]
fn an_idle_source_that_does_not_return_fails() {
    let _heard = listen();
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    pipeline.grace_period(Duration::from_millis(1));
    let monitor = pipeline.monitor();
    let (end, ends) = mpsc::channel::<()>();
    let deaf = source(move |_: Subject<Number>| {
        // The test ends this wait.
        let _ = ends.recv();
        Ok(())
    });
    let minute = Duration::from_secs(60);
    let options = ReadOptions::new().name("deaf").idle(minute).restart(Restart::backoff(minute..minute));
    let _table = pipeline.read_with(deaf, options);
    let running = pipeline.start().unwrap();
    until(&monitor, |seen| seen.sources[0].attempts == 1);
    clock.advance(minute);
    until(&monitor, |_| {
        // Each check of the watchdog needs a step of the clock.
        clock.advance(minute);
        monitor.snapshot().stop.is_some()
    });
    let error = within(move || running.join()).unwrap_err();
    let text = "`run` did not return within 1ms after that\nhelp: register a hook that unblocks it with `on_interrupt`";
    assert!(error.to_string().contains(text), "{error}");
    drop(end);
}

#[test]
fn a_source_that_pushes_is_not_idle() {
    let _heard = listen();
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let busy = source(|rows: Subject<Number>| {
        for n in 0..10 {
            rows.next(Number { n })?;
            rows.sleep(Duration::from_secs(50))?;
        }
        Ok(())
    });
    let _table = pipeline.read_with(busy, ReadOptions::new().idle(Duration::from_secs(60)).autocommit(None));
    let running = pipeline.start().unwrap();
    for _ in 0..10 {
        assert_eq!(clock.advance_to_next(), Duration::from_secs(50));
    }
    assert_eq!(within(move || running.join()).unwrap().rows(), 10);
}

#[test]
fn an_idle_limit_of_zero_is_no_limit() {
    let _heard = listen();
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let hour = Duration::from_secs(3600);
    let silent = source(move |rows: Subject<Number>| Ok(rows.sleep(hour)?));
    let _table = pipeline.read_with(silent, ReadOptions::new().idle(Duration::ZERO));
    let running = pipeline.start().unwrap();
    assert_eq!(clock.advance_to_next(), hour);
    within(move || running.join()).unwrap();
}

#[test]
fn a_source_that_waits_for_room_is_not_idle() {
    let _heard = listen();
    let clock = Clock::new();
    let pipeline = clock.drive(common::pipeline());
    let monitor = pipeline.monitor();
    let table = pipeline.read_with(
        source(|rows: Subject<Number>| {
            for n in 0..10 {
                rows.next(Number { n })?;
            }
            Ok(())
        }),
        ReadOptions::new().idle(Duration::from_secs(60)).backlog(2).autocommit(None),
    );
    let (open, opened) = mpsc::channel::<()>();
    table.subscribe_commits(move |_| {
        // The test ends this wait.
        let _ = opened.recv();
    });
    let running = pipeline.start().unwrap();
    until(&monitor, |seen| seen.sources[0].state.name() == "backpressured");
    for _ in 0..100 {
        clock.advance(Duration::from_secs(50));
    }
    drop(open);
    assert_eq!(within(move || running.join()).unwrap().rows(), 10);
}

#[test]
fn a_stop_that_takes_long_says_what_it_waits_for() {
    let heard = listen();
    let pipeline = common::pipeline();
    pipeline.grace_period(Duration::from_secs(60));
    let stop = pipeline.stop_handle();
    let (end_source, source_ends) = mpsc::channel::<()>();
    let (end_sink, sink_ends) = mpsc::channel::<()>();
    let slow = source(move |rows: Subject<Number>| {
        rows.next(Number { n: 1 })?;
        rows.commit()?;
        stop.stop();
        Ok(source_ends.recv()?)
    });
    let table = pipeline.read_with(slow, ReadOptions::new().name("slow to end"));
    table.subscribe(move |_| sink_ends.recv().unwrap());
    let running = pipeline.start().unwrap();
    let said = hear(&heard, &["stopping: waiting up to 60 s for `slow to end`", "grace_period=60s"]);
    assert!(said.starts_with("event INFO"), "{said}");
    end_source.send(()).unwrap();
    hear(&heard, &["stopping: waiting up to 60 s for sink `slow to end`"]);
    end_sink.send(()).unwrap();
    within(move || running.join()).unwrap();
}

#[test]
fn a_stop_while_a_sink_opens_takes_one_grace_period() {
    struct Opening(Sender<()>, mpsc::Receiver<()>);
    impl Sink<Number> for Opening {
        fn open(&mut self, _: &'static TableSchema) -> RunResult {
            self.0.send(())?;
            // The test ends this wait.
            let _ = self.1.recv();
            Ok(())
        }

        fn write(&mut self, _: &Commit<Number>) -> RunResult {
            Ok(())
        }
    }
    let heard = listen();
    let pipeline = common::pipeline();
    pipeline.grace_period(Duration::from_millis(50));
    let (release, released) = mpsc::channel();
    let (opening, is_opening) = mpsc::channel();
    let table = pipeline.read_with(source(|_: Subject<Number>| Ok(())), ReadOptions::new().name("never open"));
    table.write_to(Opening(opening, released));
    let stop = pipeline.stop_handle();
    let runner = std::thread::spawn(move || pipeline.run());
    next(&is_opening);
    stop.stop();
    within(move || runner.join().unwrap()).unwrap_err();
    // In a second grace period, an event would name the sink before the error does.
    let said = hear(&heard, &["sink `never open`"]);
    assert!(said.contains("did not finish within the grace period"), "{said}");
    drop(release);
}

#[test]
fn a_pipeline_that_is_dropped_without_a_run_is_a_warning() {
    let heard = listen();
    let pipeline = common::pipeline();
    pipeline.read_with(source(|_: Subject<Number>| Ok(())), ReadOptions::new().name("forgotten"));
    drop(pipeline);
    let said = hear(&heard, &["dropped without a run", "`forgotten`"]);
    assert!(said.starts_with("event WARN"), "{said}");

    let pipeline = common::pipeline();
    pipeline.read_with(source(|_: Subject<Number>| Ok(())), ReadOptions::new().name("not forgotten"));
    within(move || pipeline.run()).unwrap();
    drop(common::pipeline());
    // The end of the source is logged, and no warning before it.
    let mut before = Vec::new();
    while !before.iter().any(|text: &String| text.contains("\"not forgotten\" rows=0")) {
        before.push(next(&heard));
    }
    assert!(!before.iter().any(|text| text.contains("without a run") && text.contains("not forgotten")), "{before:#?}");
}

// FAULTS 16
#[test]
#[cfg(feature = "persist")]
fn a_state_that_is_ahead_of_the_clock_is_a_warning_at_the_start() {
    let heard = listen();
    let directory = common::TempDir::new();
    let state = directory.path("state");
    let run = || {
        let pipeline = pathway_io::Pipeline::persistent(&state).unwrap();
        pipeline.handle_signals(false);
        let push = source(|rows: Subject<Number, u64>| {
            let from = rows.resume().unwrap_or(0);
            Ok(rows.next_at(from + 1, Number { n: from })?)
        });
        let _table = pipeline.read_with(push, ReadOptions::new().name("ahead"));
        within(move || pipeline.run()).unwrap();
    };
    run();
    let an_hour = Duration::from_secs(3600);
    let later = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap() + an_hour;
    common::set_checkpoint_time(&state.join("log-1"), later.as_millis() as u64);
    run();
    let said = hear(&heard, &["ahead of this machine's clock"]);
    assert!(said.starts_with("event WARN"), "{said}");
    let seconds = said.split("the state is ").nth(1).and_then(|text| text.split(" s ahead").next()).unwrap();
    let seconds: u64 = seconds.parse().unwrap();
    // The rest of the hour: the deadline bounds the time between the two runs.
    assert!(seconds <= 3600 && seconds + common::DEADLINE.as_secs() >= 3600, "{said}");
}
