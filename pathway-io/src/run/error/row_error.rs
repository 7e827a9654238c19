//! The error of `next_json` and related methods: a row that does not fit.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// The reason why a row was not pushed.
///
/// Its [`Display`](fmt::Display) is one sentence with all that is known, such as
/// ``row 3, column `genus`, byte 17: expected a `String`, found the number 5``.
///
/// A push also returns this error if the subject is closed ([`is_closed`](RowError::is_closed)), or if the push would
/// have to wait ([`is_full`](RowError::is_full)). In these cases, the row itself can be valid.
#[derive(Debug)]
// The contents are boxed, because a `Result` with this error is returned for each row.
pub struct RowError(Box<RowErrorParts>);

#[derive(Debug)]
struct RowErrorParts {
    column: Option<&'static str>,
    position: Option<usize>,
    row: Option<u64>,
    reason: Cow<'static, str>,
    closed: bool,
    full: bool,
}

impl RowError {
    #[cold]
    pub(crate) fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        RowError(Box::new(RowErrorParts {
            column: None,
            position: None,
            row: None,
            reason: reason.into(),
            closed: false,
            full: false,
        }))
    }

    /// Returns the error of a push into a closed subject.
    #[cold]
    pub(crate) fn closed() -> Self {
        let mut error = RowError::new("the subject is closed");
        error.0.closed = true;
        error
    }

    /// Returns the error of a push that must not wait.
    #[cold]
    pub(crate) fn full() -> Self {
        let mut error = RowError::new("the backlog is full");
        error.0.full = true;
        error
    }

    #[cold]
    pub(crate) fn at_column(mut self, column: Option<&'static str>) -> Self {
        self.0.column = column;
        self
    }

    #[cold]
    pub(crate) fn at_position(mut self, position: Option<usize>) -> Self {
        self.0.position = position;
        self
    }

    /// Returns the same error for input that has this many more bytes at the front.
    #[cold]
    pub(crate) fn moved_by(mut self, bytes: usize) -> Self {
        self.0.position = self.0.position.map(|position| position + bytes);
        self
    }

    #[cold]
    pub(crate) fn at_row(mut self, row: u64) -> Self {
        self.0.row = Some(row);
        self
    }

    /// Returns the name of the column whose value is wrong, or `None` if the error concerns no single column, as for
    /// text that is not JSON.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        self.0.column
    }

    /// Returns the offset of the fault in the row's input, in bytes from 0. It is `None` for a fault without a place,
    /// such as a missing column, and for a row that was not text.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    /// Returns the number of the push in its table, from 1, if it is known.
    ///
    /// Removals and bad rows count. After a restart of the program, the numbers start at 1 again.
    #[must_use]
    pub fn row(&self) -> Option<u64> {
        self.0.row
    }

    /// Returns the reason without the position.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Returns whether the row was refused only because the subject is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed
    }

    /// Returns whether [`Subject::try_next_json`](crate::Subject::try_next_json) refused the row only because the
    /// backlog is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.full
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if let Some(row) = self.0.row {
            write!(f, "row {row}")?;
            separator = ", ";
        }
        if let Some(column) = self.0.column {
            write!(f, "{separator}column `{column}`")?;
            separator = ", ";
        }
        if let Some(position) = self.0.position {
            write!(f, "{separator}byte {position}")?;
            separator = ", ";
        }
        let colon = if separator.is_empty() { "" } else { ": " };
        f.write_str(colon)?;
        // A source's reason may contain line breaks, and a log has one line for each error.
        for part in self.0.reason.split_inclusive(char::is_control) {
            match part.chars().next_back().filter(|last| last.is_control()) {
                Some(last) => write!(f, "{}{}", &part[..part.len() - last.len_utf8()], last.escape_default())?,
                None => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

impl Error for RowError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_all_that_is_known() {
        let error = RowError::new("missing");
        assert_eq!(error.to_string(), "missing");
        let error = error.at_column(Some("genus"));
        assert_eq!(error.to_string(), "column `genus`: missing");
        let error = error.at_position(Some(17)).at_row(3);
        assert_eq!(error.to_string(), "row 3, column `genus`, byte 17: missing");
        assert_eq!((error.row(), error.column(), error.position()), (Some(3), Some("genus"), Some(17)));
        assert_eq!(error.reason(), "missing");
        assert!(!error.is_closed());
    }

    #[test]
    fn a_reason_stays_on_its_line() {
        let error = RowError::new("no\nsuch\r\u{1b}[31m \u{e9}\u{85}");
        assert_eq!(error.to_string(), "no\\nsuch\\r\\u{1b}[31m \u{e9}\\u{85}");
        assert_eq!(error.reason(), "no\nsuch\r\u{1b}[31m \u{e9}\u{85}");
    }

    #[test]
    fn is_as_small_as_a_pointer() {
        assert_eq!(size_of::<Result<(), RowError>>(), size_of::<usize>());
    }
}
