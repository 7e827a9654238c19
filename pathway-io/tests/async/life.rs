//! The life of an `async fn run`: its runtime, its stop, its tasks and its panics.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use pathway_io::{AsyncSubject, FailureKind, ReadOptions, Restart, RunResult, Stop, connector};
use tokio::net::TcpListener;

use crate::common::{Number, commits, next, pipeline, run, updates, within};

/// A source that waits for a connection that never comes.
struct Hanging {
    ready: Sender<()>,
    events: Sender<&'static str>,
}

/// Says when it is dropped.
struct Dropped(Sender<&'static str>, &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
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
            std::future::pending::<()>().await;
        });
        let other = Dropped(self.events.clone(), "spawned");
        tokio::spawn(async move {
            let _other = other;
            std::future::pending::<()>().await;
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        numbers.next(Number { n: 1 }).await?;
        tokio::task::yield_now().await;
        self.ready.send(())?;
        listener.accept().await?;
        Ok(())
    }

    async fn on_stop(&mut self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
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

#[test]
fn a_run_that_hangs_is_stopped_in_five_milliseconds() {
    // Of several, since the machine may be busy.
    let fastest = (0..20).map(|_| {
        let pipeline = pipeline();
        let (ready, is_ready) = mpsc::channel();
        let (events, _seen) = mpsc::channel();
        pipeline.read(Hanging { ready, events });
        let running = pipeline.start().unwrap();
        next(&is_ready);
        let start = Instant::now();
        running.stop();
        within(move || running.join()).unwrap();
        start.elapsed()
    });
    let mut times: Vec<_> = fastest.collect();
    times.sort_unstable();
    println!("fastest {:?}, median {:?}", times[0], times[10]);
    assert!(times[0] < Duration::from_millis(5), "{times:?}");
}
