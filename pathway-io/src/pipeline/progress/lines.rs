//! Lines about a run, written by a thread that may block: [`say`].
//!
//! A program may not read the standard error of this one, and a terminal may be stopped (Ctrl-S). The parts of a run
//! must not wait for that. They wait for a line only for a short time, and not at all while an earlier line is stuck.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};

use crate::run::threads;

/// The maximum number of lines that wait while standard error is stuck. Further lines are only counted.
const LINES: usize = 64;
/// The time that a part waits for its line, so that lines are rarely lost at the end of the process.
const WRITE_TIMEOUT: Duration = Duration::from_millis(200);

/// A line, and the answer once it is written.
type QueuedLine = (String, Sender<()>);

struct LineThread {
    lines: Sender<QueuedLine>,
    /// Whether a line was not written in time, and no line has been written since.
    stuck: Arc<AtomicBool>,
    left_out: AtomicU64,
}

/// Calls `write` with a line of text, on the thread of the lines.
pub(super) fn say(text: &str, write: fn(&str)) {
    static WRITER: OnceLock<Option<LineThread>> = OnceLock::new();
    match WRITER.get_or_init(|| LineThread::start(write)) {
        Some(writer) => writer.say(text),
        // No thread could be started.
        None => write(text),
    }
}

impl LineThread {
    fn start(write: fn(&str)) -> Option<Self> {
        let (lines, waiting) = bounded::<QueuedLine>(LINES);
        let stuck = Arc::new(AtomicBool::new(false));
        let writer = LineThread { lines, stuck: Arc::clone(&stuck), left_out: AtomicU64::new(0) };
        let thread = threads::spawn("progress lines", move || {
            for (line, written) in waiting {
                write(&line);
                stuck.store(false, Ordering::Relaxed);
                // The part may no longer wait.
                let _ = written.send(());
            }
        });
        thread.ok().map(|_| writer)
    }

    fn say(&self, text: &str) {
        let (written, answer) = bounded(1);
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        let line = match left_out {
            0 => text.to_owned(),
            count => format!("({count} lines were left out, because standard error was not read)\n{text}"),
        };
        if self.lines.try_send((line, written)).is_err() {
            self.left_out.fetch_add(left_out + 1, Ordering::Relaxed);
        } else if !self.stuck.load(Ordering::Relaxed) && answer.recv_timeout(WRITE_TIMEOUT).is_err() {
            self.stuck.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Instant;

    use super::*;

    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    static GATE: Mutex<()> = Mutex::new(());

    fn wait(until: impl Fn(&[String]) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !until(&SEEN.lock().unwrap()) {
            assert!(Instant::now() < deadline, "the lines do not come");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn whoever_says_something_does_not_wait_for_a_reader() {
        let writer = LineThread::start(|line| {
            let _open = GATE.lock().unwrap();
            SEEN.lock().unwrap().push(line.to_owned());
        })
        .unwrap();
        // The line is written when the call returns.
        writer.say("first");
        wait(|seen| seen == ["first"]);
        let closed = GATE.lock().unwrap();
        let began = Instant::now();
        for number in 0..10_000 {
            writer.say(&format!("line {number}"));
        }
        // One wait, and not one for each line.
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        drop(closed);
        wait(|seen| seen.len() >= LINES);
        writer.say("last");
        wait(|seen| {
            seen.last()
                .is_some_and(|line| line.ends_with("lines were left out, because standard error was not read)\nlast"))
        });
        let seen = SEEN.lock().unwrap();
        let written = seen.iter().filter(|line| line.starts_with("line ")).count();
        assert!(seen.last().unwrap().starts_with(&format!("({} lines", 10_000 - written)), "{:?}", seen.last());
    }
}
