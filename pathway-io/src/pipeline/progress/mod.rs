//! The display of [`Pipeline::progress`](crate::Pipeline::progress), and functions to write to the same terminal.
//!
//! With the feature `progress`, a pipeline can show one line for each source and each sink on standard error. It
//! updates them five times a second, and ends with a short summary. The lines never exceed the window. A source or a
//! sink that is tried again has a line with its last error, also while the start waits for a sink that cannot be
//! opened.
//!
//! ```text
//!                          rows    rows/s  commits  backlog
//! Sensors                12,345       410       31        4
//! → readings.csv         24,682       820       31        0
//! ```
//!
//! If standard error is not a terminal, the pipeline only writes a line for each failed attempt of a source or a sink
//! that is tried again. In both cases, a stop that takes longer than half a second names the parts that it waits for,
//! once for the sources and once for the sinks:
//!
//! ```text
//! stopping: waiting up to 10 s for `Sensors`; Ctrl-C again ends at once
//! ```
//!
//! A standard error that is closed or unread does not delay the run. Lines that stay unread are left out and counted. A
//! second Ctrl-C leaves the cursor below the lines. Ctrl-Z removes them from the terminal, and they are drawn again
//! when the program continues.
//!
//! The lines are *below* the cursor, which stays where the program has put it. A program that draws its own table, or
//! logs a line now and then, need not know about them. Several log lines in quick succession can cover a part of the
//! display until the next update, and remnants can stay on the screen. To prevent that, write through [`writer`] or
//! inside [`suspend`]:
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
pub(crate) use display::{Display, is_shown, write_notice};
#[cfg(not(feature = "progress"))]
pub(crate) use off::{Display, is_shown, leave_terminal, write_notice};
#[cfg(feature = "progress")]
pub(crate) use screen::leave_terminal;

/// Calls `write` while the lines are off the terminal. They return within 0.2 s.
///
/// Without lines, and without the feature `progress`, it only calls `write`. The display of all pipelines is paused
/// meanwhile, so `write` should not wait for the end of one. It may write through [`writer`], or call `suspend`
/// itself.
pub fn suspend<T>(write: impl FnOnce() -> T) -> T {
    #[cfg(feature = "progress")]
    let _suspended = screen::Suspended::begin();
    write()
}

/// Returns a writer for loggers: it writes to standard error while the lines are off the terminal.
#[must_use]
pub fn writer() -> Writer {
    Writer(())
}

/// The writer that [`writer`] returns.
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
