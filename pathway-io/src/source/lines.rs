//! Input and error of `next_json_lines`, which pushes many JSON objects, one per line.

use std::fmt;

use crate::rows::decode::without_mark;
use crate::run::error::Error;
use crate::run::error::row_error::RowError;

/// The number of bad lines that an error keeps. This is enough to find the cause, and limits memory.
const KEPT: usize = 100;

/// The lines of a buffer that are not blank, without their line ends.
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    line: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(buffer: &'a [u8]) -> Self {
        Lines { rest: buffer, line: &[], number: 0 }
    }

    /// Moves to the next line and returns it. A `\r` at the end of the line remains, because the decoder skips it as
    /// white space.
    #[inline]
    pub(crate) fn advance(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let (line, rest) = match memchr::memchr(b'\n', self.rest) {
                Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
                None => (self.rest, &[][..]),
            };
            (self.line, self.rest) = (line, rest);
            self.number += 1;
            if without_mark(line).iter().any(|byte| !byte.is_ascii_whitespace()) {
                return Some(line);
            }
        }
        None
    }

    pub(crate) fn line(&self) -> &'a [u8] {
        self.line
    }

    /// Returns the number of the current line in the buffer, counted from 1.
    pub(crate) fn number(&self) -> usize {
        self.number
    }
}

/// The error of [`Subject::next_json_lines`](crate::Subject::next_json_lines): some lines were not pushed.
///
/// There are two causes. Some lines do not fit the schema; then all other lines were pushed. Or the subject was closed
/// during the call ([`is_closed`](Self::is_closed)); then the lines after that moment were not pushed.
///
/// ```
/// # use pathway_io::{connector, testing, Schema, Subject};
/// # #[derive(Schema)] struct Cat { key: i64 }
/// # struct Cats;
/// # #[connector] impl Cats {
/// #     fn run(&mut self, cats: Subject<Cat>) -> pathway_io::RunResult {
/// let error = cats.next_json_lines("{\"key\": 1}\n{\"key\": true}\n{\"key\": 3}\n").unwrap_err();
/// assert_eq!(error.rows(), 2);
/// assert_eq!(error.bad_lines()[0].line, 2);
/// assert_eq!(error.bad_lines()[0].error.column(), Some("key"));
/// #         Ok(())
/// #     }
/// # }
/// # assert_eq!(testing::collect(Cats)?.len(), 2);
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[derive(Debug)]
pub struct LinesError(Box<LinesReport>);

/// A line that does not fit the schema.
#[derive(Debug)]
#[non_exhaustive]
pub struct BadLine {
    /// The number of the line in the buffer. The first line is 1, and blank lines count.
    pub line: usize,
    /// The reason why the line does not fit.
    pub error: RowError,
}

/// The result of pushing the lines of a buffer.
#[derive(Debug, Default)]
pub(crate) struct LinesReport {
    rows: usize,
    bad: Vec<BadLine>,
    /// The number of bad lines that are not in the list.
    more: usize,
    /// The number of the line at which the subject was found closed.
    closed_at: Option<usize>,
}

impl LinesReport {
    #[inline]
    pub(crate) fn pushed(&mut self) {
        self.rows += 1;
    }

    /// Records a refused line. Returns whether the next line may be tried.
    #[cold]
    pub(crate) fn refused(&mut self, line: usize, error: RowError) -> bool {
        if error.is_closed() {
            self.closed_at = Some(line);
        } else if self.bad.len() < KEPT {
            self.bad.push(BadLine { line, error });
        } else {
            self.more += 1;
        }
        self.closed_at.is_none()
    }

    pub(crate) fn result(self) -> Result<usize, LinesError> {
        if self.bad.is_empty() && self.closed_at.is_none() { Ok(self.rows) } else { Err(LinesError(Box::new(self))) }
    }
}

impl LinesError {
    /// Returns the number of lines that were pushed as rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.0.rows
    }

    /// Returns the first hundred bad lines, in order.
    #[must_use]
    pub fn bad_lines(&self) -> &[BadLine] {
        &self.0.bad
    }

    /// Returns the number of bad lines, including those that [`bad_lines`](Self::bad_lines) omits.
    #[must_use]
    pub fn bad_line_count(&self) -> usize {
        self.0.bad.len() + self.0.more
    }

    /// Returns whether the subject was closed before all lines were pushed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed_at.is_some()
    }

    /// Returns the number of the first line that was not pushed because the subject was closed.
    #[must_use]
    pub fn closed_at(&self) -> Option<usize> {
        self.0.closed_at
    }
}

impl fmt::Display for LinesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.0.bad.first() {
            write!(f, "line {}: {}", first.line, first.error)?;
            match self.bad_line_count() - 1 {
                0 => {}
                1 => f.write_str("; one more line is bad")?,
                more => write!(f, "; {more} more lines are bad")?,
            }
            f.write_str("; ")?;
        }
        if let Some(line) = self.0.closed_at {
            write!(f, "the subject was closed before line {line}; ")?;
        }
        let (rows, were) = if self.0.rows == 1 { ("row", "was") } else { ("rows", "were") };
        write!(f, "{} {rows} {were} pushed", self.0.rows)
    }
}

impl std::error::Error for LinesError {
    /// Returns the error of the first bad line.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.bad.first().map(|bad| &bad.error as _)
    }
}

impl From<LinesError> for Error {
    fn from(error: LinesError) -> Self {
        Error::Other(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(buffer: &str) -> Vec<(usize, &str)> {
        let mut lines = Lines::new(buffer.as_bytes());
        let mut all = Vec::new();
        while let Some(line) = lines.advance() {
            assert_eq!(lines.line(), line);
            all.push((lines.number(), std::str::from_utf8(line).expect("text")));
        }
        all
    }

    #[test]
    fn blank_lines_are_counted_and_skipped() {
        assert_eq!(lines(""), []);
        assert_eq!(lines("\n \r\n\t"), []);
        assert_eq!(lines("\u{feff}\n\u{feff}a"), [(2, "\u{feff}a")]);
        assert_eq!(lines("a"), [(1, "a")]);
        assert_eq!(lines("a\nb\n"), [(1, "a"), (2, "b")]);
        assert_eq!(lines("\n a\r\n\n\nb"), [(2, " a\r"), (5, "b")]);
    }

    #[test]
    fn the_error_text_names_the_bad_lines_and_the_pushed_rows() {
        let mut report = LinesReport::default();
        report.pushed();
        assert!(report.refused(2, RowError::new("missing").at_column(Some("genus"))));
        let error = report.result().unwrap_err();
        assert_eq!(error.to_string(), "line 2: column `genus`: missing; 1 row was pushed");
        let mut report = LinesReport::default();
        for line in 1..=KEPT + 5 {
            assert!(report.refused(line, RowError::new("bad")));
        }
        assert!(!report.refused(KEPT + 6, RowError::closed()));
        let error = report.result().unwrap_err();
        assert_eq!((error.bad_lines().len(), error.bad_line_count()), (KEPT, KEPT + 5));
        assert_eq!((error.is_closed(), error.closed_at()), (true, Some(KEPT + 6)));
        let text = "line 1: bad; 104 more lines are bad; the subject was closed before line 106; 0 rows were pushed";
        assert_eq!(error.to_string(), text);
    }
}
