//! A push loop that never waits yields to the other tasks of its runtime.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use pathway_io::{AsyncSubject, RunResult, connector};

use crate::common::{Number, pipeline, run};

/// Pushes for 200 ms, and counts the ticks of a timer of 1 ms in that time.
struct Busy(std::sync::mpsc::Sender<u32>);

#[connector]
impl Busy {
    async fn run(&mut self, numbers: AsyncSubject<Number>) -> RunResult {
        let ticks = Rc::new(Cell::new(0));
        numbers.spawn({
            let ticks = Rc::clone(&ticks);
            async move {
                let mut timer = tokio::time::interval(Duration::from_millis(1));
                loop {
                    timer.tick().await;
                    ticks.set(ticks.get() + 1);
                }
            }
        });
        let start = Instant::now();
        let mut n = 0;
        while start.elapsed() < Duration::from_millis(200) {
            numbers.next(Number { n }).await?;
            n += 1;
        }
        self.0.send(ticks.get())?;
        Ok(())
    }
}

#[test]
fn a_timer_fires_beside_a_loop_that_never_waits() {
    // The best of several runs counts, because the machine may be busy.
    let most = (0..5).map(|_| {
        let pipeline = pipeline();
        let (ticks, counted) = std::sync::mpsc::channel();
        pipeline.read(Busy(ticks));
        run(pipeline).unwrap();
        counted.recv().unwrap()
    });
    let most: Vec<_> = most.collect();
    println!("{most:?}");
    assert!(most.iter().any(|ticks| *ticks >= 80), "{most:?}");
}
