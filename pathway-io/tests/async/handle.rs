//! `AsyncSubject` without a runtime: the effects of dropped futures, permits, sinks, and many tasks at once.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt, stream};
use pathway_io::{
    AsyncSubject, BadRows, Closed, Pipeline, ReadOptions, Restart, RunResult, Schema, Subject, TryNextError, csv,
};

use crate::base::source;
use crate::blocking::wait;
use crate::common::{Cat, Number, TempDir, by_commit, cat, commits, next, pipeline, read, run, updates, within};

/// Counts how often it is woken.
#[derive(Default)]
struct Wakes(AtomicU64);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls a future once.
fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Asserts that a future waits, drops it, and asserts that nothing keeps its waker.
#[track_caller]
fn drop_waiting<T>(future: impl Future<Output = T>) {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut future = Box::pin(future);
    // Several polls register one waker.
    for _ in 0..3 {
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(Arc::strong_count(&wakes) <= 4, "each poll has left a waker");
    }
    drop(future);
    assert_eq!(Arc::strong_count(&wakes), 2, "the waker is still there");
}

/// Ends the wait of the sink.
type Release = Sender<()>;

/// Returns the commits of a source that runs `test` while the sink takes nothing. The backlog has four rows, three of
/// them in flight.
#[track_caller]
fn beside_a_sink_that_waits(
    options: ReadOptions,
    test: impl FnOnce(AsyncSubject<Number, u64>, Release) -> RunResult + Send + 'static,
) -> Vec<Vec<u64>> {
    let pipeline = pipeline();
    let (release, released) = mpsc::channel::<()>();
    let mut test = Some((test, release));
    let table = pipeline.read_with(
        source(move |numbers: Subject<Number, u64>| {
            let (test, release) = test.take().unwrap();
            for n in 1..=3 {
                numbers.next_at(n, Number { n })?;
            }
            numbers.commit()?;
            test(numbers.to_async(), release)
        }),
        options.autocommit(None).backlog(4),
    );
    let seen = commits(&table);
    table.subscribe_commits(move |_| {
        let _ = released.recv();
    });
    run(pipeline).unwrap();
    by_commit(&seen)
}

fn number(n: u64) -> Number {
    Number { n }
}

/// Fills the backlog with the numbers from 4 on.
fn fill(numbers: &AsyncSubject<Number, u64>) {
    for n in 4..8 {
        wait(numbers.next_at(n, number(n))).unwrap();
    }
    assert!(matches!(numbers.try_next(number(0)), Err(TryNextError::Full(_))));
}

#[test]
fn a_push_that_is_dropped_pushes_nothing() {
    let seen = beside_a_sink_that_waits(ReadOptions::new(), |numbers, release| {
        fill(&numbers);
        drop_waiting(numbers.next(number(90)));
        drop_waiting(numbers.next_at(91, number(91)));
        drop_waiting(numbers.next_json(r#"{"n": 92}"#));
        drop_waiting(numbers.next_json_at(93, r#"{"n": 93}"#));
        drop_waiting(numbers.next_value(serde_json::json!({"n": 94})));
        drop_waiting(numbers.next_json_lines("{\"n\": 95}\n{\"n\": 96}"));
        drop_waiting(numbers.reserve());
        drop_waiting(numbers.reject("?", "torn"));
        drop(release);
        wait(numbers.next_at(8, number(8)))?;
        Ok(())
    });
    assert_eq!(seen, [vec![1, 2, 3], vec![4, 5, 6, 7], vec![8]]);
}

#[test]
fn lines_before_the_one_that_waits_are_pushed() {
    let seen = beside_a_sink_that_waits(ReadOptions::new(), |numbers, release| {
        let lines = "{\"n\": 4}\n{\"n\": 5}\n{\"n\": 6}\n{\"n\": 7}\n{\"n\": 8}\n{\"n\": 9}\n";
        wait(numbers.next_at(3, number(30)))?;
        wait(numbers.next_at(3, number(31)))?;
        drop_waiting(numbers.next_json_lines(lines));
        drop(release);
        wait(numbers.commit_at(5))?;
        wait(numbers.next_at(6, number(6)))?;
        Ok(())
    });
    // The wait asks for a commit, which can come before the one with offset 5 and ends with the offset of 31.
    assert_eq!(seen.concat(), [1, 2, 3, 30, 31, 4, 5, 6]);
    assert_eq!(seen.last().unwrap(), &[6]);
}

#[test]
fn a_dropped_commit_commits_nothing_and_blocks_no_push() {
    let seen = beside_a_sink_that_waits(ReadOptions::new(), |numbers, release| {
        wait(numbers.next_at(4, number(4)))?;
        wait(numbers.next_at(5, number(5)))?;
        drop_waiting(numbers.commit());
        drop_waiting(numbers.commit_at(5));
        let transaction = numbers.transaction();
        transaction.next(number(90))?;
        drop_waiting(transaction.commit_at(90));
        // This closes no other handle.
        drop_waiting(numbers.clone().close());
        assert!(!numbers.is_closed());
        drop(release);
        // There is space for all rows. Only a transaction in the queue could delay them.
        for n in 6..20 {
            wait(numbers.next_at(n, number(n)))?;
        }
        Ok(())
    });
    assert_eq!(seen.concat(), (1..20).collect::<Vec<_>>());
}

#[test]
fn a_dropped_commit_of_a_transaction_for_which_an_offset_waits_writes_nothing() {
    let seen = beside_a_sink_that_waits(ReadOptions::new(), |numbers, release| {
        let transaction = numbers.transaction();
        transaction.next(number(90))?;
        transaction.next(number(91))?;
        numbers.advance(3)?;
        drop_waiting(transaction.commit());
        drop(release);
        wait(numbers.next_at(4, number(4)))?;
        Ok(())
    });
    assert_eq!(seen.concat(), [1, 2, 3, 4]);
}

#[test]
fn a_transaction_that_is_dropped_in_the_queue_lets_the_others_go_ahead() {
    let seen = beside_a_sink_that_waits(ReadOptions::new(), |numbers, release| {
        wait(numbers.next_at(4, number(4)))?;
        let first = numbers.transaction();
        first.next(number(90))?;
        first.next(number(91))?;
        let mut first = Box::pin(first.commit_at(91));
        assert!(poll(first.as_mut()).is_pending());
        // The row alone would fit, but the transaction is first in the queue.
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let commit = numbers.commit();
        let mut commit = pin!(commit);
        assert!(commit.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
        drop(first);
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        assert_eq!(poll(commit.as_mut()), Poll::Ready(Ok(())));
        drop(release);
        Ok(())
    });
    assert_eq!(seen, [vec![1, 2, 3], vec![4]]);
}

/// A client can keep the future of a commit and never poll it again.
#[test]
fn a_commit_that_a_failed_attempt_has_queued_does_not_hold_back_the_next() {
    let pipeline = pipeline();
    let (release, released) = mpsc::channel::<()>();
    let (mut release, mut kept) = (Some(release), None);
    let numbers = source(move |numbers: Subject<Number>| {
        let Some(release) = release.take() else {
            return Ok((5..8).try_for_each(|n| numbers.next(number(n)))?);
        };
        (1..=3).try_for_each(|n| numbers.next(number(n)))?;
        numbers.commit()?;
        let pair = numbers.to_async().transaction();
        (90..92).try_for_each(|n| pair.next(number(n)))?;
        numbers.next(number(4))?;
        let commit = kept.insert(Box::pin(pair.commit()));
        assert!(poll(commit.as_mut()).is_pending());
        drop(release);
        Err("the connection is lost".into())
    });
    let options = ReadOptions::new().autocommit(None).backlog(4);
    let restart = Restart::backoff(Duration::from_millis(1)..Duration::from_millis(1));
    let table = pipeline.read_with(numbers, options.restart(restart));
    let seen = commits(&table);
    table.subscribe_commits(move |_| {
        let _ = released.recv();
    });
    run(pipeline).unwrap();
    assert_eq!(by_commit(&seen).concat(), [1, 2, 3, 4, 5, 6, 7]);
}

/// The offset will cover the rows, so they are not rows without one.
#[test]
fn a_full_backlog_waits_for_the_offset_of_a_transaction_in_the_queue() {
    let seen = beside_a_sink_that_waits(ReadOptions::new(), |numbers, release| {
        let transaction = numbers.transaction();
        transaction.next(number(90))?;
        transaction.next(number(91))?;
        let mut transaction = Box::pin(transaction.commit_at(91));
        assert!(poll(transaction.as_mut()).is_pending());
        for n in 4..8 {
            numbers.try_next(number(n))?;
        }
        assert!(matches!(numbers.try_next(number(8)), Err(TryNextError::Full(_))));
        let mut push = pin!(numbers.next(number(8)));
        assert!(poll(push.as_mut()).is_pending());
        drop(release);
        wait(transaction)?;
        Ok(wait(push)?)
    });
    assert_eq!(seen, [vec![1, 2, 3], vec![4, 5, 6, 7, 90, 91], vec![8]]);
}

/// The waker runs on the thread of the sink that returns the space. That thread must not fail.
#[test]
fn a_waker_that_panics_fails_no_other_thread() {
    struct Broken;
    impl Wake for Broken {
        fn wake(self: Arc<Self>) {
            panic!("the runtime has ended");
        }
    }
    let seen = beside_a_sink_that_waits(ReadOptions::new(), |numbers, release| {
        fill(&numbers);
        let broken = numbers.next(number(90));
        let mut broken = pin!(broken);
        let waker = Waker::from(Arc::new(Broken));
        assert!(broken.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        // This one waits behind it, and is woken although the first panics.
        let other = numbers.clone();
        let next = std::thread::spawn(move || wait(other.next_at(8, number(8))));
        drop(release);
        next.join().unwrap()?;
        Ok(())
    });
    assert_eq!(seen, [vec![1, 2, 3], vec![4, 5, 6, 7], vec![8]]);
}

#[test]
fn a_permit_pushes_json_and_removes() {
    let pipeline = pipeline();
    let cats = pipeline.read(source(|cats: Subject<Cat>| {
        let cats = cats.to_async();
        wait(cats.reserve())?.next_json(r#"{"key": 1, "genus": "felis"}"#)?;
        assert_eq!(wait(cats.reserve())?.next_json("{}").unwrap_err().column(), Some("key"));
        wait(cats.commit())?;
        wait(cats.reserve())?.remove(1)?;
        Ok(())
    }));
    let seen = commits(&cats);
    run(pipeline).unwrap();
    assert_eq!(updates(&seen), [(cat(1, "felis"), 1), (cat(1, "felis"), -1)]);
}

#[test]
fn a_permit_pushes_without_waiting_and_exceeds_the_backlog_by_one() {
    let seen = beside_a_sink_that_waits(ReadOptions::new(), |numbers, release| {
        let permit = wait(numbers.reserve())?;
        let other = wait(numbers.reserve())?;
        drop(wait(numbers.reserve())?);
        fill(&numbers);
        permit.next_at(8, number(8))?;
        assert!(matches!(numbers.try_next(number(0)), Err(TryNextError::Full(_))));
        other.next_at(9, number(9))?;
        drop(release);
        let permit = wait(numbers.reserve())?;
        wait(numbers.clone().close())?;
        assert_eq!(permit.next(number(90)), Err(Closed));
        Ok(())
    });
    assert_eq!(seen, [vec![1, 2, 3], vec![4, 5, 6, 7, 8, 9]]);
}

#[test]
fn a_permit_can_bring_the_offset_that_a_full_backlog_lacks() {
    let rows = |brings_offset| {
        let pipeline = pipeline();
        let run_source = source(move |numbers: Subject<Number, u64>| {
            let numbers = numbers.to_async();
            wait(numbers.next_at(1, number(1)))?;
            for n in 2..6 {
                wait(numbers.next(number(n)))?;
            }
            let permit = wait(numbers.reserve())?;
            let pushed = if brings_offset { permit.next_at(6, number(6)) } else { permit.next(number(6)) };
            Ok(pushed?)
        });
        let table = pipeline.read_with(run_source, ReadOptions::new().autocommit(None).backlog(4));
        let seen = commits(&table);
        run(pipeline).map(|_| by_commit(&seen).concat()).map_err(|error| error.to_string())
    };
    assert_eq!(rows(true).unwrap(), [1, 2, 3, 4, 5, 6]);
    let error = rows(false).unwrap_err();
    assert!(error.contains("after its last offset"), "{error}");
}

#[test]
fn a_bad_row_in_a_full_backlog_does_not_block_the_thread() {
    let dir = TempDir::new();
    let path = dir.path("bad.jsonl");
    let options = ReadOptions::new().bad_rows(BadRows::Quarantine(path.clone()));
    let seen = beside_a_sink_that_waits(options, |numbers, release| {
        let transaction = numbers.transaction();
        fill(&numbers);
        transaction.next_json("?")?;
        transaction.with(&numbers).next_json("??")?;
        drop_waiting(transaction.commit_at(9));
        drop_waiting(numbers.next_json("???"));
        drop(release);
        wait(numbers.next_json_at(10, "????"))?;
        Ok(())
    });
    assert_eq!(seen, [vec![1, 2, 3], vec![4, 5, 6, 7]]);
    assert_eq!(read(path).lines().count(), 3);
}

#[test]
fn closed_resolves_and_a_sleep_is_cut_short() {
    let pipeline = pipeline();
    let (ready, is_ready) = mpsc::channel();
    let table = pipeline.read(source(move |numbers: Subject<Number>| {
        let numbers = numbers.to_async();
        // Each turn of the loop drops a wait for the end, as `select!` does.
        for n in 0..1000 {
            drop_waiting(numbers.closed());
            drop_waiting(numbers.sleep(Duration::from_secs(3600)));
            wait(numbers.next(number(n)))?;
        }
        let slept = Instant::now();
        wait(numbers.sleep(Duration::from_millis(5)))?;
        assert!(slept.elapsed() >= Duration::from_millis(5));
        wait(numbers.sleep(Duration::ZERO))?;
        ready.send(())?;
        assert_eq!(wait(numbers.sleep(Duration::MAX)), Err(Closed));
        assert_eq!(wait(numbers.sleep(Duration::from_secs(3600))), Err(Closed));
        wait(numbers.closed());
        Ok(())
    }));
    let seen = commits(&table);
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    within(move || running.join()).unwrap();
    assert_eq!(by_commit(&seen).concat().len(), 1000);
}

#[test]
fn streams_are_forwarded() {
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|numbers: Subject<Number, u64>| {
            let numbers = numbers.to_async();
            wait(
                stream::iter([1, 2])
                    .map(number)
                    .map(Ok)
                    .forward(numbers.at().with(|row: Number| async move { Ok::<_, Closed>((row.n, row)) })),
            )?;
            // A flush commits nothing, and a close commits.
            let mut sink = numbers.at();
            wait(sink.send((3, number(3))))?;
            wait(sink.flush())?;
            wait(sink.send((4, number(4))))?;
            wait(sink.close())?;
            // The table is open, and the policy for bad rows applies.
            wait(stream::iter([r#"{"n": 5}"#, r#"{"n": 6}"#]).map(Ok).forward(numbers.json()))?;
            let error = wait(stream::iter([r#"{"n": "six"}"#]).map(Ok).forward(numbers.json())).unwrap_err();
            assert_eq!(error.column(), Some("n"));
            wait(stream::iter([7]).map(number).map(Ok).forward(numbers.sink()))?;
            numbers.advance(7)?;
            wait(numbers.clone().close())?;
            let closed = wait(stream::iter([8]).map(number).map(Ok).forward(numbers.sink()));
            assert_eq!(closed, Err(Closed));
            let closed = wait(stream::iter([r#"{"n": 8}"#]).map(Ok).forward(numbers.json())).unwrap_err();
            assert!(closed.is_closed());
            Ok(())
        }),
        ReadOptions::new().autocommit(None),
    );
    let seen = commits(&table);
    run(pipeline).unwrap();
    // Rows without an offset wait for the next one.
    assert_eq!(by_commit(&seen), [vec![1, 2], vec![3, 4], vec![5, 6, 7]]);
}

#[test]
fn a_stream_waits_for_room() {
    let seen = beside_a_sink_that_waits(ReadOptions::new(), |numbers, release| {
        let rows = stream::iter(4..20).map(|n| Ok((n, number(n)))).forward(numbers.at());
        let mut rows = pin!(rows);
        assert!(poll(rows.as_mut()).is_pending());
        drop(release);
        Ok(wait(rows)?)
    });
    assert_eq!(seen.concat(), (1..20).collect::<Vec<_>>());
    assert_eq!(seen[1], [4, 5, 6, 7]);
}

/// A runtime with several threads requires this.
#[test]
fn futures_move_between_threads() {
    fn moves<T: Send>(value: T) -> T {
        value
    }
    fn check(numbers: &AsyncSubject<Number, u64>) {
        drop(moves(numbers.next(number(1))));
        drop(moves(numbers.next_at(1, number(1))));
        drop(moves(numbers.next_json("")));
        drop(moves(numbers.next_json_at(1, "")));
        drop(moves(numbers.next_json_lines("")));
        drop(moves(numbers.next_value(().into())));
        drop(moves(numbers.reject("", "")));
        drop(moves(numbers.commit()));
        drop(moves(numbers.commit_at(1)));
        drop(moves(numbers.clone().close()));
        drop(moves(numbers.reserve()));
        drop(moves(numbers.closed()));
        drop(moves(numbers.sleep(Duration::ZERO)));
        drop(moves(numbers.transaction().commit()));
        drop(moves(numbers.transaction().commit_at(1)));
        drop(moves((numbers.sink(), numbers.json(), numbers.at())));
    }
    let _ = check;
}

#[test]
fn tasks_of_another_runtime_push_through_a_small_backlog() {
    const TASKS: u64 = 8;
    const ROWS: u64 = 500;
    let pipeline = pipeline();
    let table = pipeline.read_with(
        source(|numbers: Subject<Number>| {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).build()?;
            let numbers = numbers.to_async();
            runtime.block_on(async {
                let tasks: Vec<_> = (0..TASKS)
                    .map(|task| {
                        let numbers = numbers.clone();
                        tokio::spawn(async move {
                            for n in 0..ROWS {
                                let n = task * ROWS + n;
                                if n % 100 == 7 {
                                    let unit = numbers.transaction();
                                    unit.next(number(n))?;
                                    unit.commit().await?;
                                } else {
                                    numbers.next(number(n)).await?;
                                }
                            }
                            numbers.commit().await
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await??;
                }
                Ok(())
            })
        }),
        ReadOptions::new().backlog(3).autocommit(None),
    );
    let seen = commits(&table);
    run(pipeline).unwrap();
    let rows = by_commit(&seen).concat();
    for task in 0..TASKS {
        let of: Vec<_> = rows.iter().copied().filter(|n| n / ROWS == task).collect();
        assert_eq!(of, (task * ROWS..(task + 1) * ROWS).collect::<Vec<_>>());
    }
}

/// Waits once, as a read of a socket would.
async fn read_from_the_server(n: u64) -> u64 {
    let mut has_waited = false;
    poll_fn(move |cx| {
        if has_waited {
            return Poll::Ready(n);
        }
        has_waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

const ALL: u64 = 40;

/// Pushes everything after the offset: plain rows, rows in a transaction, and commits in between.
async fn read_all(numbers: &AsyncSubject<Number, u64>) -> Result<(), Closed> {
    let mut n = numbers.resume().unwrap_or(0);
    while n < ALL {
        n = read_from_the_server(n + 1).await;
        match n % 7 {
            3 => {
                let unit = numbers.transaction();
                unit.next(number(n))?;
                read_from_the_server(n).await;
                unit.next(number(n + 1))?;
                n += 1;
                unit.commit_at(n).await?;
            }
            5 => {
                numbers.next(number(n)).await?;
                read_from_the_server(n).await;
                numbers.commit_at(n).await?;
            }
            6 => numbers.reserve().await?.next_at(n, number(n))?,
            _ => numbers.next_at(n, number(n)).await?,
        }
    }
    Ok(())
}

fn persistent(dir: &TempDir) -> Pipeline {
    let pipeline = Pipeline::persistent(dir.path("state")).unwrap();
    pipeline.handle_signals(false);
    pipeline
}

fn assert_every_row_once(dir: &TempDir) {
    let text = read(dir.path("numbers.csv"));
    let rows: Vec<u64> = text.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(rows, (1..=ALL).collect::<Vec<_>>());
}

fn options() -> ReadOptions {
    ReadOptions::new().name("numbers").backlog(3)
}

/// Runs with a future that is dropped after this many polls. Returns whether it completed.
fn run_for(dir: &TempDir, polls: usize) -> bool {
    let pipeline = persistent(dir);
    let numbers = pipeline.read_with(
        source(move |numbers: Subject<Number, u64>| {
            let numbers = numbers.to_async();
            let mut reading = pin!(read_all(&numbers));
            for _ in 0..polls {
                // The pause between two polls lets the sink return space.
                if let Poll::Ready(result) = poll(reading.as_mut()) {
                    return Ok(result?);
                }
                std::thread::yield_now();
            }
            Err("it was dropped".into())
        }),
        options(),
    );
    csv::write(&numbers, dir.path("numbers.csv"));
    run(pipeline).is_ok()
}

#[test]
fn run_is_dropped_at_each_await_in_turn_and_every_row_arrives_once() {
    for polls in 3..24 {
        let dir = TempDir::new();
        let mut runs = 1;
        while !run_for(&dir, polls) {
            runs += 1;
            assert!(runs < 200, "it does not come forward with {polls} polls");
        }
        assert_every_row_once(&dir);
    }
}

/// Stops the pipeline at one of its awaits.
struct Stopping {
    after: usize,
    stop: pathway_io::StopHandle,
    ended: Arc<Mutex<bool>>,
}

#[pathway_io::connector]
impl Stopping {
    async fn run(&mut self, numbers: AsyncSubject<Number, u64>) -> RunResult {
        let mut polls = 0;
        let reading = pin!(read_all(&numbers));
        let mut reading = reading;
        poll_fn(|cx| {
            if polls == self.after {
                self.stop.stop();
                return Poll::Pending;
            }
            polls += 1;
            reading.as_mut().poll(cx)
        })
        .await?;
        *self.ended.lock().unwrap() = true;
        Ok(())
    }
}

#[test]
fn a_stop_at_each_await_in_turn_loses_no_row() {
    for after in 3..16 {
        let dir = TempDir::new();
        let ended = Arc::new(Mutex::new(false));
        let mut runs = 0;
        while !*ended.lock().unwrap() {
            let pipeline = persistent(&dir);
            let stopping = Stopping { after, stop: pipeline.stop_handle(), ended: Arc::clone(&ended) };
            csv::write(&pipeline.read_with(stopping, options()), dir.path("numbers.csv"));
            run(pipeline).unwrap();
            runs += 1;
            assert!(runs < 200, "it does not come forward with {after} polls");
        }
        assert_every_row_once(&dir);
    }
}

/// A row type without `Send`, for the bound that no method has.
#[derive(Schema)]
struct Words {
    words: Vec<String>,
}

#[test]
fn a_task_may_push_from_a_callback_by_the_other_handle() {
    let pipeline = pipeline();
    let table = pipeline.read(source(|words: Subject<Words>| {
        let words = words.to_async();
        let callback = words.subject();
        std::thread::spawn(move || callback.next(Words { words: vec!["a".into()] })).join().unwrap()?;
        wait(words.next_json(r#"{"words": ["b"]}"#))?;
        Ok(())
    }));
    let (sender, seen): (_, Receiver<String>) = mpsc::channel();
    table.subscribe(move |update| sender.send(update.row.words.concat()).unwrap());
    run(pipeline).unwrap();
    assert_eq!(seen.iter().collect::<String>(), "ab");
}
