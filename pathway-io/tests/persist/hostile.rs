//! Panics in every place where the library calls or drops user code. Each is an `Err` that names the part.

use std::error::Error as StdError;
use std::fmt;
use std::panic::panic_any;
use std::time::Duration;

use pathway_io::{Commit, ReadOptions, Restart, RunResult, Sink, SinkOptions, Subject};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::common::{Number, TempDir, run, source};
use crate::restart::{options, persistent};

/// The place at which user code panics.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Display,
    Source,
    Cause,
    DropError,
    Payload,
    Serialize,
    Deserialize,
    Clone,
    DropOffset,
    Callback,
    DropCallback,
    TwoCallbacks,
    DropHooks,
    Transactional,
    Write,
    DropSink,
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any("dropped");
    }
}

#[derive(Debug)]
struct BadCause;

impl fmt::Display for BadCause {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no text")
    }
}

impl StdError for BadCause {}

#[derive(Debug)]
struct BadError(At);

impl fmt::Display for BadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert_ne!(self.0, At::Display);
        f.write_str("bad")
    }
}

impl StdError for BadError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        assert_ne!(self.0, At::Source);
        if self.0 == At::Cause { Some(&BadCause) } else { None }
    }
}

impl Drop for BadError {
    fn drop(&mut self) {
        assert_ne!(self.0, At::DropError);
    }
}

#[derive(Debug)]
struct BadOffset(Option<At>);

impl Clone for BadOffset {
    fn clone(&self) -> Self {
        assert_ne!(self.0, Some(At::Clone));
        BadOffset(self.0)
    }
}

impl Serialize for BadOffset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!(self.0, Some(At::Serialize));
        serializer.serialize_bool(self.0 == Some(At::Deserialize))
    }
}

impl<'de> Deserialize<'de> for BadOffset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        assert!(!bool::deserialize(deserializer)?);
        Ok(BadOffset(None))
    }
}

impl Drop for BadOffset {
    fn drop(&mut self) {
        assert_ne!(self.0, Some(At::DropOffset));
    }
}

struct BadSink(At);

impl Sink<Number> for BadSink {
    fn is_transactional(&self) -> bool {
        assert_ne!(self.0, At::Transactional);
        false
    }

    fn write(&mut self, _: &Commit<Number>) -> RunResult {
        match self.0 {
            At::Write => panic_any(Bomb),
            At::DropError | At::Display | At::Source | At::Cause => Err(BadError(self.0).into()),
            _ => Ok(()),
        }
    }
}

impl Drop for BadSink {
    fn drop(&mut self) {
        assert_ne!(self.0, At::DropSink);
    }
}

/// Runs a persistent pipeline with a panic at this place, in the connector or in a sink.
fn fail(directory: &TempDir, at: At, in_sink: bool, restart: bool) -> pathway_io::Result<()> {
    let pipeline = persistent(directory);
    let push = move |numbers: Subject<Number, BadOffset>| -> RunResult {
        if in_sink {
            return Ok(numbers.next_at(BadOffset(None), Number { n: 1 })?);
        }
        match at {
            At::Callback | At::DropCallback | At::TwoCallbacks => {
                let bombs = [At::DropCallback, At::TwoCallbacks].contains(&at).then(|| Bomb);
                numbers.on_durable(move |_| {
                    let _captured = &bombs;
                    assert_ne!(at, At::Callback);
                    assert_ne!(at, At::TwoCallbacks);
                });
                let bomb = (at == At::TwoCallbacks).then(|| Bomb);
                numbers.on_durable(move |_| {
                    let _captured = &bomb;
                });
            }
            At::DropHooks => {
                for _ in 0..2 {
                    let bomb = Bomb;
                    numbers.on_interrupt(move || drop(bomb));
                }
            }
            _ => {}
        }
        for n in 0..3 {
            numbers.next_at(BadOffset(Some(at)), Number { n })?;
            numbers.commit()?;
        }
        match at {
            At::Payload => panic_any(Bomb),
            At::Display | At::Source | At::Cause | At::DropError => Err(BadError(at).into()),
            _ => Ok(()),
        }
    };
    let options: ReadOptions = options("numbers");
    let again = Restart::backoff(Duration::from_millis(1)..Duration::from_millis(1)).attempts(3);
    let numbers = pipeline.read_with(source(push), if restart { options.restart(again.clone()) } else { options });
    if in_sink && restart {
        numbers.write_to_with(BadSink(at), SinkOptions::new().retry(again));
    } else if in_sink {
        numbers.write_to(BadSink(at));
    } else {
        numbers.subscribe(|_| ());
    }
    run(pipeline).map(drop)
}

#[test]
fn a_panic_in_any_code_of_the_users_is_an_error_that_names_its_part() {
    let connector = "connector `numbers` ";
    let sink = "sink `numbers` ";
    for (at, in_sink, restart, part, text) in [
        (At::Payload, false, false, connector, "panicked in run: (no text)"),
        (At::Payload, false, true, connector, "panicked in run: (no text)"),
        (At::Display, false, false, connector, "panicked in the text of its error: "),
        (At::Display, false, true, connector, "panicked in the text of its error: "),
        (At::Source, false, false, connector, "failed: bad"),
        (At::Source, false, true, connector, "failed: bad"),
        (At::Cause, false, false, connector, "failed: bad"),
        (At::Cause, false, true, connector, "failed: bad"),
        (At::DropError, false, false, connector, "failed: bad"),
        (At::DropError, false, true, connector, "panicked in the drop of its error: "),
        (At::Serialize, false, false, connector, "panicked in the form of its offset: "),
        (At::Clone, false, false, connector, "panicked in the clone of its offset: "),
        (At::Clone, false, true, connector, "panicked in the clone of its offset: "),
        (At::DropOffset, false, false, connector, "panicked in the drop of its offset: "),
        (At::Callback, false, false, connector, "panicked in an `on_durable` callback: "),
        (At::DropCallback, false, false, connector, "panicked in the drop of an `on_durable` callback: dropped"),
        (At::TwoCallbacks, false, false, connector, "panicked in an `on_durable` callback: "),
        (At::DropHooks, false, false, connector, "panicked in the drop of an `on_interrupt` hook: dropped"),
        (At::Transactional, true, false, sink, "panicked in is_transactional: "),
        (At::Write, true, false, sink, "panicked in write: (no text)"),
        (At::Display, true, false, sink, "panicked in the text of its error: "),
        (At::Display, true, true, sink, "panicked in the text of its error: "),
        (At::Source, true, false, sink, "failed: bad"),
        (At::Source, true, true, sink, "failed: bad"),
        (At::Cause, true, false, sink, "failed: bad"),
        (At::DropError, true, false, sink, "failed: bad"),
        (At::DropError, true, true, sink, "panicked in the drop of its error: "),
        (At::DropSink, true, false, sink, "panicked in its drop: "),
    ] {
        let error = fail(&TempDir::new(), at, in_sink, restart).expect_err(&format!("{at:?}"));
        let said = error.to_string();
        assert!(said.starts_with(&format!("{part}{text}")), "{at:?}, {restart}: {said}");
        assert!(format!("{error:?}").starts_with(&said));
        // This may own the error whose drop panics.
        std::mem::forget(error);
    }
}

#[test]
fn a_panic_in_the_reading_of_an_offset_names_its_connector() {
    let directory = TempDir::new();
    fail(&directory, At::Deserialize, false, false).unwrap();
    let error = fail(&directory, At::Deserialize, false, false).unwrap_err();
    assert!(error.to_string().starts_with("connector `numbers` panicked in the reading of its offset: "), "{error}");
}
