//! The display of [`Pipeline::progress`](crate::Pipeline::progress), and how a program writes to the same terminal.
//!
//! With the feature `progress`, a pipeline can show one line for each source and each sink on standard error. It updates
//! them five times a second, and ends with a short summary. The lines never exceed the window.
//!
//! ```text
//!                          rows    rows/s  commits  backlog
//! Sensors                12,345       410       31        4
//! → readings.csv         24,682       820       31        0
//! ```
//!
//! If standard error is not a terminal, the pipeline writes only what happens: a line for each attempt of a source that has
//! failed and is run again. On both, a stop that takes longer than half a second says once what it waits for:
//!
//! ```text
//! stopping: waiting up to 10 s for `Sensors`; Ctrl-C again ends at once
//! ```
//!
//! A standard error that is closed or unread does not hold up the run; lines that stay unread are left out, and
//! counted. A second Ctrl-C leaves the cursor below the lines. Ctrl-Z takes them off the
//! terminal, and they are drawn again when the program continues.
//!
//! The lines are *below* the cursor, which stays where the program has it. A program that draws its own table, or logs a
//! line now and then, need not know about them. Several log lines at once can cover a part of the display until the next
//! update, and remains of it can stay on the screen. Write through [`writer`] or inside [`suspend`] to prevent that:
//!
//! ```
//! use std::io::Write;
//!
//! // With tracing-subscriber: `fmt().with_writer(pathway_io::progress::writer).init()`.
//! let mut log = pathway_io::progress::writer();
//! writeln!(log, "one\ntwo")?;
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io::{self, Write};

#[cfg(feature = "progress")]
mod display;
#[cfg(feature = "progress")]
mod line;
#[cfg(feature = "progress")]
mod lines;
#[cfg(feature = "progress")]
mod screen;

#[cfg(not(feature = "progress"))]
mod off;

#[cfg(feature = "progress")]
pub(crate) use display::{Display, end_terminal, is_shown, pause_terminal, tell};
#[cfg(not(feature = "progress"))]
pub(crate) use off::{Display, end_terminal, is_shown, pause_terminal, tell};
#[cfg(not(feature = "progress"))]
pub use off::{IsEnabled, Progress};

/// Calls `write` while the lines are off the terminal; they come back within 0.2 s. Without lines, and without the
/// feature `progress`, it is only called.
///
/// The lines of all pipelines wait for it, so it should not wait for the end of one. What it calls may write through
/// [`writer`], or suspend them itself.
pub fn suspend<T>(write: impl FnOnce() -> T) -> T {
    #[cfg(feature = "progress")]
    let _suspended = screen::Suspended::begin();
    write()
}

/// Standard error, written to while the lines are off the terminal; for loggers.
#[must_use]
pub fn writer() -> Writer {
    Writer(())
}

/// See [`writer`].
#[derive(Debug)]
pub struct Writer(());

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        suspend(|| io::stderr().write(bytes))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        suspend(|| io::stderr().write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
