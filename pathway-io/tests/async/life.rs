//! The life of an `async fn run`: its runtime, its stop, its tasks and its panics.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use pathway_io::{AsyncSubject, FailureKind, ReadOptions, Restart, RunResult, Schema, Stop, connector, testing};
use tokio::net::TcpListener;

use crate::common::{Number, cat, commits, next, pipeline, run, updates, within};

/// Sends a message when it is dropped.
struct Dropped(Sender<&'static str>, &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

/// A source that waits for a connection that never comes.
struct Hanging {
    ready: Sender<()>,
    events: Sender<&'static str>,
}

impl Drop for Hanging {
    fn drop(&mut self) {
        let _ = self.events.send("connector");
    }
}

#[connector]
impl Hanging {
    async fn run(&mut self, numbers: AsyncSubject<Number>) -> RunResult {
        let _run = Dropped(self.events.clone(), "run");
        let task = Dropped(self.events.clone(), "task");
        numbers.spawn(async move {
            let _task = task;
            pending::<()>().await;
        });
        let other = Dropped(self.events.clone(), "spawned");
        tokio::spawn(async move {
            let _other = other;
            pending::<()>().await;
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        numbers.next(Number { n: 1 }).await?;
        tokio::task::yield_now().await;
        self.ready.send(())?;
        listener.accept().await?;
        Ok(())
    }

    async fn on_stop(&mut self) {
        tokio::task::yield_now().await;
        let _ = self.events.send("on_stop");
    }
}

#[test]
fn a_stop_drops_run_its_tasks_and_then_the_connector() {
    let pipeline = pipeline();
    let (ready, is_ready) = mpsc::channel();
    let (events, seen) = mpsc::channel();
    let table = pipeline.read(Hanging { ready, events });
    let rows = commits(&table);
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    let summary = within(move || running.join()).unwrap();
    assert_eq!(summary.stop, Some(Stop::Handle));
    assert_eq!(updates(&rows), [(Number { n: 1 }, 1)]);
    let seen: Vec<_> = seen.iter().collect();
    assert_eq!(seen[0], "run");
    let mut tasks = seen[1..3].to_vec();
    tasks.sort_unstable();
    assert_eq!(tasks, ["spawned", "task"]);
    assert_eq!(seen[3..], ["on_stop", "connector"]);
}

/// A source made of a future, without options.
struct Once<F>(F);

#[connector(name = "once")]
impl<F> Once<F>
where
    F: AsyncFnMut(AsyncSubject<Number>) -> RunResult + Send + 'static,
{
    async fn run(&mut self, numbers: AsyncSubject<Number>) -> RunResult {
        (self.0)(numbers).await
    }
}

/// Returns the error of a pipeline with such a source. The pipeline is stopped when the source sends a message.
#[track_caller]
fn failure(source: impl AsyncFnMut(AsyncSubject<Number>, Sender<()>) -> RunResult + Send + 'static) -> String {
    let pipeline = pipeline();
    let (ready, is_ready) = mpsc::channel();
    let mut source = source;
    pipeline.read(Once(async move |numbers| source(numbers, ready.clone()).await));
    let stop = pipeline.stop_handle();
    let stopping = thread::spawn(move || {
        if is_ready.recv().is_ok() {
            stop.stop();
        }
    });
    let error = run(pipeline).unwrap_err();
    stopping.join().unwrap();
    assert!(matches!(&error, pathway_io::Error::Connector(failure) if failure.name() == "once"), "{error:?}");
    error.to_string()
}

/// Panics when it is dropped.
struct Fragile(&'static str);

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

#[test]
fn a_panic_anywhere_names_the_connector() {
    let in_run = failure(async |_, _| panic!("in run"));
    assert_eq!(in_run, "connector `once` panicked in run: in run");
    let in_task = failure(async |numbers, _| {
        numbers.spawn(async { panic!("in a task") });
        pending().await
    });
    assert_eq!(in_task, "connector `once` panicked in run: in a task");
    let in_drop = failure(async |_, ready| {
        let _fragile = Fragile("in a drop");
        ready.send(())?;
        pending().await
    });
    assert_eq!(in_drop, "connector `once` panicked in run: in a drop");
    let in_task_that_ends = failure(async |numbers, _| {
        numbers.spawn(async {
            let fragile = Fragile("at the end of a task");
            tokio::task::yield_now().await;
            drop(fragile);
        });
        pending().await
    });
    assert_eq!(in_task_that_ends, "connector `once` panicked in run: at the end of a task");
    let in_cancelled_task = failure(async |numbers, ready| {
        numbers.spawn(async move {
            let _fragile = Fragile("in a task's drop");
            ready.send(()).unwrap();
            pending::<()>().await;
        });
        pending().await
    });
    assert_eq!(in_cancelled_task, "connector `once` panicked in run: in a task's drop");
    // The same after `run` has completed.
    let behind_the_end = failure(async |numbers, _| {
        numbers.spawn(async move {
            let _fragile = Fragile("behind the end");
            pending::<()>().await;
        });
        tokio::task::yield_now().await;
        Ok(())
    });
    assert_eq!(behind_the_end, "connector `once` panicked in run: behind the end");
}

#[test]
fn several_panics_of_a_stop_are_all_told() {
    let pipeline = pipeline();
    let (ready, is_ready) = mpsc::channel::<()>();
    pipeline.read(Once(async move |numbers: AsyncSubject<Number>| {
        let _fragile = Fragile("of run");
        let ready = ready.clone();
        numbers.spawn(async move {
            let _fragile = Fragile("of a task");
            ready.send(()).unwrap();
            pending::<()>().await;
        });
        pending().await
    }));
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    let mut all = vec![error.to_string()];
    all.extend(error.others().iter().map(ToString::to_string));
    all.sort_unstable();
    assert_eq!(all, ["connector `once` panicked in run: of a task", "connector `once` panicked in run: of run"]);
}

#[test]
fn an_error_of_a_task_is_an_error_of_run() {
    let (events, seen) = mpsc::channel();
    let text = failure(async move |numbers, _| {
        let _run = Dropped(events.clone(), "run");
        numbers.spawn(async { Err::<(), _>("the socket broke") });
        pending().await
    });
    assert_eq!(text, "connector `once` failed: the socket broke");
    assert_eq!(next(&seen), "run");
}

#[test]
fn a_task_that_returns_ok_does_not_end_run() {
    let pipeline = pipeline();
    let table = pipeline.read(Once(async |numbers: AsyncSubject<Number>| {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        numbers.spawn({
            let numbers = numbers.clone();
            async move {
                numbers.next(Number { n: 1 }).await?;
                let _ = sender.send(());
                RunResult::Ok(())
            }
        });
        receiver.await?;
        tokio::task::yield_now().await;
        numbers.next(Number { n: 2 }).await?;
        Ok(())
    }));
    let rows = commits(&table);
    run(pipeline).unwrap();
    assert_eq!(updates(&rows), [(Number { n: 1 }, 1), (Number { n: 2 }, 1)]);
}

/// Closes its session after a stop, which takes the given time.
struct Polite {
    takes: Duration,
    events: Sender<&'static str>,
    ready: Sender<()>,
}

const PATIENCE: Duration = Duration::from_secs(20);

#[connector(stop = PATIENCE)]
impl Polite {
    async fn run(&mut self, numbers: AsyncSubject<Number>) -> RunResult {
        let _run = Dropped(self.events.clone(), "run");
        self.ready.send(())?;
        numbers.closed().await;
        assert!(numbers.is_closed());
        assert!(numbers.next(Number { n: 1 }).await.is_err());
        tokio::time::sleep(self.takes).await;
        self.events.send("goodbye")?;
        Ok(())
    }
}

/// The same, with less time than that.
struct Hasty(Polite);

#[connector(stop = "20ms")]
impl Hasty {
    async fn run(&mut self, numbers: AsyncSubject<Number>) -> RunResult {
        self.0.run(numbers).await
    }
}

fn stopped(
    source: impl pathway_io::Connector,
    ready: &Receiver<()>,
    events: Receiver<&'static str>,
) -> Vec<&'static str> {
    let pipeline = pipeline();
    pipeline.read(source);
    let running = pipeline.start().unwrap();
    next(ready);
    running.stop();
    let summary = within(move || running.join()).unwrap();
    assert_eq!(summary.stop, Some(Stop::Handle));
    events.iter().collect()
}

#[test]
fn run_has_its_time_after_a_stop_and_no_more() {
    let (ready, is_ready) = mpsc::channel();
    let (events, seen) = mpsc::channel();
    let polite = Polite { takes: Duration::from_millis(30), events, ready: ready.clone() };
    assert_eq!(stopped(polite, &is_ready, seen), ["goodbye", "run"]);
    let (events, seen) = mpsc::channel();
    let hasty = Hasty(Polite { takes: Duration::from_secs(3600), events, ready });
    assert_eq!(stopped(hasty, &is_ready, seen), ["run"]);
}

#[test]
fn a_task_woken_by_a_stop_may_return() {
    let (events, seen) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    let source = Once(async move |numbers: AsyncSubject<Number>| {
        ready.send(())?;
        numbers.closed().await;
        events.send("returns")?;
        Ok(())
    });
    assert_eq!(stopped(source, &is_ready, seen), ["returns"]);
}

#[test]
fn a_task_that_the_stop_has_ended_leaves_run_its_time() {
    struct Goodbye(Sender<()>, Sender<&'static str>);
    #[connector(stop = "20s")]
    impl Goodbye {
        async fn run(&mut self, numbers: AsyncSubject<Number>) -> RunResult {
            let pushes = numbers.clone();
            numbers.spawn(async move {
                loop {
                    pushes.sleep(Duration::from_micros(10)).await?;
                    pushes.next(Number { n: 1 }).await?;
                }
                #[allow(unreachable_code, reason = "it names the type of the block")]
                RunResult::Ok(())
            });
            self.0.send(())?;
            numbers.closed().await;
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            self.1.send("goodbye")?;
            Ok(())
        }
    }
    let (ready, is_ready) = mpsc::channel();
    let (events, seen) = mpsc::channel();
    assert_eq!(stopped(Goodbye(ready, events), &is_ready, seen), ["goodbye"]);
}

#[test]
fn blocking_tasks_do_not_delay_the_end() {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let (ready, is_ready) = mpsc::channel();
    let released = Arc::new(released);
    let source = Once(async move |_| {
        let (released, ready) = (Arc::clone(&released), ready.clone());
        let blocked = tokio::task::spawn_blocking(move || {
            ready.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
        });
        Ok(blocked.await?)
    });
    let (_events, seen) = mpsc::channel();
    drop(_events);
    assert!(stopped(source, &is_ready, seen).is_empty());
    drop(release);
}

#[test]
fn a_pipeline_runs_inside_of_a_runtime_and_a_runtime_inside_of_run_is_named() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rows = runtime.block_on(async {
        let source = Once(async |numbers: AsyncSubject<Number>| Ok(numbers.next(Number { n: 1 }).await?));
        tokio::task::spawn_blocking(|| testing::collect(source)).await.unwrap().unwrap()
    });
    assert_eq!(rows.len(), 1);
    let inside = failure(async |_, _| tokio::runtime::Runtime::new()?.block_on(async { Ok(()) }));
    assert!(
        inside.starts_with("connector `once` panicked in run: Cannot start a runtime from within a runtime"),
        "{inside}"
    );
    let handle = failure(async |_, _| tokio::runtime::Handle::current().block_on(async { Ok(()) }));
    assert!(handle.starts_with("connector `once` panicked in run: Cannot start a runtime"), "{handle}");
}

#[test]
fn spawn_outside_of_run_is_named() {
    let text = failure(async |numbers, _| {
        let outside = thread::spawn(move || numbers.spawn(async {}));
        outside.join().map_err(|panic| *panic.downcast_ref::<&str>().unwrap())?;
        Ok(())
    });
    assert!(text.ends_with("`AsyncSubject::spawn` was called outside of an `async fn run`"), "{text}");
}

#[test]
fn each_attempt_has_its_own_runtime() {
    let pipeline = pipeline();
    let ids = Arc::new(Mutex::new(Vec::new()));
    let table = pipeline.read_with(
        Once({
            let ids = Arc::clone(&ids);
            async move |numbers: AsyncSubject<Number>| {
                let attempt = {
                    let mut ids = ids.lock().unwrap();
                    ids.push(tokio::runtime::Handle::current().id());
                    ids.len() as u64
                };
                numbers.next(Number { n: attempt }).await?;
                match attempt {
                    1 => Err("no such server".into()),
                    2 => panic!("out of cheese"),
                    _ => Ok(()),
                }
            }
        }),
        ReadOptions::new().restart(Restart::backoff(Duration::ZERO..Duration::ZERO)),
    );
    let rows = commits(&table);
    let summary = run(pipeline).unwrap();
    assert_eq!(summary.sources[0].attempts, 3);
    let rows: Vec<_> = updates(&rows).into_iter().map(|(row, _)| row.n).collect();
    assert_eq!(rows, [1, 2, 3]);
    let ids = ids.lock().unwrap();
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
}

#[test]
fn a_source_that_hangs_without_a_wait_is_left_after_the_grace() {
    let pipeline = pipeline();
    pipeline.grace_period(Duration::from_millis(50));
    let (release, released) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let released = Mutex::new(released);
    pipeline.read(Once(async move |_| {
        ready.send(())?;
        // No runtime can interrupt this wait.
        let _ = released.lock().unwrap().recv();
        Ok(())
    }));
    let running = pipeline.start().unwrap();
    next(&is_ready);
    running.stop();
    let error = within(move || running.join()).unwrap_err();
    let pathway_io::Error::Connector(failure) = &error else { panic!("{error}") };
    assert!(matches!(failure.kind(), FailureKind::TimedOut { .. }), "{error}");
    assert_eq!(failure.name(), "once");
    drop(release);
}

/// Two tables, an offset, a partition and options from constants.
#[derive(Clone)]
struct Two<T>(u64, T);

#[derive(Schema, Debug)]
struct Word {
    text: String,
}

const NAME: &str = "two";

#[connector(name = NAME, autocommit = Duration::from_millis(1), backlog = 2 * 8)]
impl<T: Clone> Two<T> {
    async fn run(
        &mut self,
        numbers: AsyncSubject<Number, u64>,
        words: AsyncSubject<Word, u64>,
        part: pathway_io::dataflow::Partition,
    ) -> Result<(), pathway_io::Closed> {
        for n in (0..self.0).filter(|n| n % part.count as u64 == part.index as u64) {
            let both = numbers.transaction();
            both.next(Number { n })?;
            both.with(&words).next(Word { text: n.to_string() })?;
            both.commit_at(n).await?;
        }
        Ok(())
    }

    fn on_stop(&mut self) {}
}

#[test]
fn two_tables_with_offsets_in_partitions() {
    let pipeline = pipeline();
    let (numbers, words) = pipeline.read(Two(100, std::marker::PhantomData::<fn()>));
    let (numbers, words) = (commits(&numbers), commits(&words));
    let summary = within(|| pipeline.run_on(pathway_io::dataflow::Workers::threads(3))).unwrap();
    assert_eq!(summary.sources[0].name, "two[0]");
    let of = |commits: Vec<(Number, i64)>| commits.into_iter().map(|(row, _)| row.n).collect::<Vec<_>>();
    let mut numbers = of(updates(&numbers));
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    assert_eq!(updates(&words).len(), 100);
}

#[test]
fn keyword_arguments_are_awaited() {
    struct Zoo;
    #[connector]
    impl Zoo {
        async fn run(&mut self, cats: AsyncSubject<crate::common::Cat>) -> Result<(), pathway_io::Closed> {
            pathway_io::next!(cats, crate::common::Cat { key: 1, genus: "felis" }).await?;
            cats.remove(1).await?;
            pathway_io::next!(cats, crate::common::Cat { key: 2, genus: "lynx" }).await
        }
    }
    let rows = testing::collect(Zoo).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].row, cat(2, "lynx"));
}

#[test]
fn a_run_that_never_ends_a_push_is_stopped_while_the_sink_takes_nothing() {
    let pipeline = pipeline();
    let (release, released) = mpsc::channel::<()>();
    let (taken, is_taken) = mpsc::channel();
    let pushed = Arc::new(AtomicU32::new(0));
    let table = pipeline.read_with(
        Once({
            let pushed = Arc::clone(&pushed);
            async move |numbers: AsyncSubject<Number>| {
                loop {
                    numbers.next(Number { n: 1 }).await?;
                    pushed.fetch_add(1, Ordering::Relaxed);
                }
            }
        }),
        ReadOptions::new().backlog(4).autocommit(None),
    );
    table.subscribe_commits(move |_| {
        let _ = taken.send(());
        let _ = released.recv();
    });
    let running = pipeline.start().unwrap();
    next(&is_taken);
    running.stop();
    drop(release);
    let summary = within(move || running.join()).unwrap();
    assert_eq!(summary.rows(), u64::from(pushed.load(Ordering::Relaxed)));
}
