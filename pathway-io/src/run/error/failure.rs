//! A failure in a run: the part that failed, and how.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use super::Error;
use crate::run::panics::{text_of, text_with_causes};
use crate::run::summary::Summary;

/// A failure of a source, sink or other part of a run.
pub struct Failure {
    pub(super) name: String,
    pub(super) kind: FailureKind,
    pub(super) help: Option<&'static str>,
    /// The cause, if the part has timed out in a run.
    pub(super) grace_period: Option<GracePeriod>,
    pub(super) rest: Option<Box<RunDetails>>,
}

/// The grace period of a run, as the cause of a failure.
#[derive(Debug)]
pub(super) struct GracePeriod(pub(super) Duration);

impl fmt::Display for GracePeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the grace period of {:?} was over", self.0)
    }
}

impl StdError for GracePeriod {}

/// The kind of a failure.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureKind {
    /// The part returned this error.
    Failed(Box<dyn StdError + Send + Sync>),
    /// The part panicked.
    Panicked {
        /// The place of the panic: `run`, `on_stop`, an `on_interrupt` hook, ...
        place: &'static str,
        /// The panic's text.
        message: String,
    },
    /// The part did not finish within the grace period and was abandoned.
    TimedOut {
        /// For a sink, the number of updates that were not delivered.
        undelivered: Option<u64>,
    },
}

/// The other contents of the error of a run.
pub(super) struct RunDetails {
    pub(super) others: Vec<Error>,
    pub(super) summary: Summary,
}

impl Failure {
    pub(super) fn new(name: &str, kind: FailureKind) -> Self {
        Failure { name: name.to_owned(), kind, help: None, grace_period: None, rest: None }
    }

    /// Returns the name of the part. It is empty for a pipeline.
    ///
    /// | part | name |
    /// |---|---|
    /// | connector | its option `name` or its type; `logs[1]` is partition 1 of `logs` |
    /// | sink for files, Parquet or SQLite | the path |
    /// | PostgreSQL sink | host, database and table |
    /// | other sink | the connector of its table, or the schema if the table is computed |
    /// | computation | the schema of its rows |
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub fn kind(&self) -> &FailureKind {
        &self.kind
    }
}

impl FailureKind {
    /// Returns the text of the failure with its causes, but without the name of the part.
    pub(crate) fn text(&self) -> String {
        match self {
            FailureKind::Failed(cause) => text_with_causes(&**cause),
            kind => kind.to_string(),
        }
    }
}

/// Displays the text after the name of the part, as in `failed: the file is gone`.
impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FailureKind::Failed(cause) => write!(f, "failed: {}", text_of(&**cause)),
            FailureKind::Panicked { place, message } => write!(f, "panicked in {place}: {message}"),
            FailureKind::TimedOut { undelivered } => {
                f.write_str("did not finish within the grace period and was abandoned")?;
                match undelivered {
                    None => Ok(()),
                    Some(1) => f.write_str("; 1 update was not delivered"),
                    Some(updates) => write!(f, "; {updates} updates were not delivered"),
                }
            }
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_shown_once() {
        let failed = || {
            // The text of the second error ends with its cause.
            let error = anyhow::Error::from(Error::fatal("refused")).context("no login: refused").context("no data");
            FailureKind::Failed(error.into())
        };
        assert_eq!(failed().text(), "no data: no login: refused");
        let error = Error::connector("a", failed()).with_rest(vec![Error::sink("b", failed())], Summary::default());
        let shown = "connector `a` failed: no data\n  caused by: no login: refused\n  later: sink `b` failed: no data: no \
                     login: refused";
        assert_eq!(format!("{error:?}"), shown);
    }
}
