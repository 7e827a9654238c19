//! The terminal, and the lines of all pipelines on it.
//!
//! The lines are below the cursor. A drawing first erases everything below the cursor: the old lines, even if the
//! program has moved the cursor meanwhile. Index commands then scroll the terminal until there is space below the
//! cursor, and keep its column. The cursor moves back up and is saved, the lines are written, and the cursor is
//! restored. Each drawing is one write, so that no other output can interrupt it.
//!
//! indicatif cannot draw in this way. It moves up by the number of lines that it has drawn, and overwrites the output
//! of others since then.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

static SCREEN: Mutex<Screen> = Mutex::new(Screen { blocks: Vec::new(), drawn: Vec::new() });

/// The time that the end of the process waits for a thread that is using the terminal.
const WRITE_TIMEOUT: Duration = Duration::from_millis(200);

/// The screen. A process has one, because it has one terminal.
pub(super) struct Screen {
    /// The lines of each pipeline, with the pipeline's number.
    blocks: Vec<(u64, Vec<String>)>,
    /// The current contents of the terminal.
    drawn: Vec<String>,
}

fn lock() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// Whether this thread has removed the lines already, so that a nested call need not.
    static SUSPENDED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the lines off the terminal until it is dropped. A nested value of the same thread has no effect.
pub(super) struct Suspended {
    screen: Option<MutexGuard<'static, Screen>>,
}

impl Suspended {
    pub(super) fn begin() -> Self {
        let screen = if SUSPENDED.replace(true) { None } else { Some(cleared()) };
        Suspended { screen }
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        if self.screen.is_some() {
            SUSPENDED.set(false);
        }
    }
}

/// Returns the screen without lines, for as long as the guard lives.
fn cleared() -> MutexGuard<'static, Screen> {
    let mut screen = lock();
    clear(&mut screen);
    screen
}

fn clear(screen: &mut Screen) {
    if !screen.drawn.is_empty() {
        write("\x1b[J");
        screen.drawn.clear();
    }
}

/// Stops drawing, and calls `then`, which ends the process or suspends it.
///
/// The lines stay on the terminal, with the cursor below them, or are removed. The call comes from the thread of the
/// signals, which must stay able to end the process: it does not wait for long for a closure of
/// [`suspend`](super::suspend).
pub(crate) fn leave_terminal(keeps_lines: bool, then: impl FnOnce()) {
    let deadline = Instant::now() + WRITE_TIMEOUT;
    let mut screen = loop {
        match SCREEN.try_lock() {
            Ok(screen) => break Some(screen),
            Err(TryLockError::Poisoned(poisoned)) => break Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => break None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    match &mut screen {
        Some(screen) if keeps_lines => {
            write(&remains(&screen.drawn));
            screen.drawn.clear();
        }
        Some(screen) => clear(screen),
        None => {}
    }
    // The guard keeps the other threads from drawing meanwhile.
    then();
}

/// Returns the lines below the cursor, with the cursor below them.
fn remains(lines: &[String]) -> String {
    let mut out = String::new();
    if !lines.is_empty() {
        out.push_str("\x1b[J");
        lines.iter().for_each(|line| out = format!("{out}\r\n{line}"));
        out.push_str("\r\n");
    }
    out
}

/// Writes a line that stays. The lines of the pipelines come back below it.
pub(super) fn print(text: &str) {
    let _screen = cleared();
    // The terminal has echoed `^C` where the cursor was.
    write(&format!("\r\x1b[K{text}\r\n"));
}

/// Adds a pipeline.
pub(super) fn add() -> u64 {
    let mut screen = lock();
    let id = screen.blocks.last().map_or(0, |(id, _)| id + 1);
    screen.blocks.push((id, Vec::new()));
    id
}

/// Draws the lines of all pipelines, with new lines for one of them, as many as fit.
pub(super) fn draw(id: u64, lines: Vec<String>, height: usize) {
    let mut screen = lock();
    if let Some((_, block)) = screen.blocks.iter_mut().find(|(other, _)| *other == id) {
        *block = lines;
    }
    let lines: Vec<String> = screen.blocks.iter().flat_map(|(_, lines)| lines).take(height).cloned().collect();
    write(&drawing(&lines));
    screen.drawn = lines;
}

/// Removes a pipeline and writes its summary.
pub(super) fn remove(id: u64, last: &str) {
    let mut screen = cleared();
    screen.blocks.retain(|(other, _)| *other != id);
    write(last);
}

fn drawing(lines: &[String]) -> String {
    let mut out = String::from("\x1b[J");
    if lines.is_empty() {
        return out;
    }
    lines.iter().for_each(|_| out.push_str("\x1bD"));
    let _ = write!(out, "\x1b[{}A\x1b7", lines.len());
    for line in lines {
        out.push_str("\r\n");
        out.push_str(line);
    }
    out.push_str("\x1b8");
    out
}

fn write(text: &str) {
    // If the terminal is closed, the error cannot be shown anywhere.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_while_the_lines_are_hidden_may_hide_them_too() {
        let (sender, done) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let first = Suspended::begin();
            drop(Suspended::begin());
            assert!(first.screen.is_some() && SUSPENDED.get());
            drop(first);
            assert!(Suspended::begin().screen.is_some());
            // The send fails if the deadline has passed and the test has ended.
            let _ = sender.send(());
        });
        done.recv_timeout(Duration::from_secs(30)).expect("it does not wait for itself");
        thread.join().expect("what it asserts holds");
    }

    #[test]
    fn draws_below_the_cursor_and_comes_back() {
        let lines = ["a", "b"].map(str::to_owned);
        assert_eq!(drawing(&lines), "\x1b[J\x1bD\x1bD\x1b[2A\x1b7\r\na\r\nb\x1b8");
        assert_eq!(drawing(&[]), "\x1b[J");
        assert_eq!(remains(&lines), "\x1b[J\r\na\r\nb\r\n");
        assert_eq!(remains(&[]), "");
    }
}
