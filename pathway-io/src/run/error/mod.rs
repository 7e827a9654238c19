//! The errors of a pipeline: [`Error`], and the small errors that a source sees ([`Closed`], [`RowError`]).
//!
//! The error of a run names the part that failed and the reason in one sentence. It also contains the later failures
//! and the summary of the run.

pub(crate) mod failure;
pub(crate) mod fatal;
pub(crate) mod row_error;

use std::error::Error as StdError;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use std::iter;
use std::time::Duration;
use std::{fmt, io};

pub use self::failure::{Failure, FailureKind};
use self::failure::{GracePeriod, RunDetails};
pub use self::fatal::Fatal;
pub(crate) use self::fatal::{is_fatal, is_refused, refused_updates};
use crate::run::error::row_error::RowError;
use crate::run::panics::{text_with_causes, texts_of_causes};
use crate::run::summary::{SourceSummary, Summary};

/// Any error that a source or a sink may return.
pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// The return type of `run` and of each method of a sink: `?` converts any error.
///
/// The error of [`Result`] is [`Error`], to which only some errors convert.
///
/// ```
/// fn run() -> pathway_io::RunResult {
///     for record in csv::Reader::from_path("zebras.csv")?.records() { // `csv::Error`
///         let _key: i64 = record?[0].parse()?;                        // `ParseIntError`
///     }
///     std::fs::remove_file("zebras.csv")?;                            // `io::Error`
///     Ok(())
/// }
/// # assert!(run().unwrap_err().is::<csv::Error>());
/// ```
pub type RunResult = std::result::Result<(), Box<dyn StdError + Send + Sync>>;

/// A `Result` whose error is [`Error`] unless you name another type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The subject is closed: by a stop, by `close`, or because `run` has ended. A source that receives this error should
/// return from `run`.
///
/// ```
/// let stopped: pathway_io::Error = pathway_io::Closed.into();
/// assert_eq!(stopped.to_string(), "the subject is closed");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the subject is closed")
    }
}

impl StdError for Closed {}

/// The error of a pipeline, or any error inside a source.
///
/// `Display` is one sentence that names the connector or the sink and the cause. `Debug` is the same sentence with the
/// causes below it, because `fn main() -> pathway_io::Result<()>` prints the `Debug` form. For a source that was run
/// again, it also contains the number of attempts and the error before the last one.
///
/// ```
/// # use pathway_io::{Pipeline, RunResult, Schema, Subject, connector};
/// use pathway_io::{Error, FailureKind};
/// # #[derive(Schema)] struct Cat { key: i64 }
/// # struct Cats;
/// # #[connector]
/// # impl Cats {
/// #     fn run(&mut self, cats: Subject<Cat>) -> RunResult {
/// #         cats.next(Cat { key: 1 })?;
/// #         Err("the connection was reset".into())
/// #     }
/// # }
/// # let pipeline = Pipeline::new();
/// # let _cats = pipeline.read(Cats);
///
/// let error = pipeline.run().unwrap_err();
/// assert_eq!(error.to_string(), "connector `Cats` failed: the connection was reset");
/// if let Error::Connector(failure) = &error {
///     assert_eq!(failure.name(), "Cats");
///     assert!(matches!(failure.kind(), FailureKind::Failed(_)));
/// }
/// // The row before the error was committed.
/// assert_eq!(error.summary().map(|summary| summary.rows()), Some(1));
/// ```
#[non_exhaustive]
pub enum Error {
    /// A connector failed: its `run` returned an error, a part of it panicked, or it did not end within the grace
    /// period.
    Connector(Failure),
    /// A sink failed: it could not be opened or written to, it panicked, or it did not end within the grace period.
    Sink(Failure),
    /// A computation failed: a closure of it panicked, or it did not end within the grace period.
    Computation(Failure),
    /// The pipeline itself could not be set up or run; the text says why.
    Pipeline(Failure),
    /// An input or output error of a source.
    Io(io::Error),
    /// A subject was closed.
    Closed(Closed),
    /// A row that does not fit the schema.
    Row(RowError),
    /// An error that no [`Restart`](crate::Restart) can fix; see [`Error::fatal`].
    Fatal(Fatal),
    /// Any other error of a source.
    Other(Box<dyn StdError + Send + Sync>),
}

impl Error {
    pub(crate) fn connector(name: &str, kind: FailureKind) -> Self {
        Error::Connector(Failure::new(name, kind))
    }

    pub(crate) fn sink(name: &str, kind: FailureKind) -> Self {
        Error::Sink(Failure::new(name, kind))
    }

    pub(crate) fn computation(name: &str, kind: FailureKind) -> Self {
        Error::Computation(Failure::new(name, kind))
    }

    pub(crate) fn pipeline(cause: impl Into<BoxError>) -> Self {
        Self::pipeline_failure(FailureKind::Failed(cause.into()))
    }

    pub(crate) fn pipeline_failure(kind: FailureKind) -> Self {
        Error::Pipeline(Failure::new("", kind))
    }

    /// Makes this the first of several failures of a run.
    pub(crate) fn with_rest(mut self, others: Vec<Error>, summary: Summary) -> Self {
        if let Some(failure) = self.failure_mut() {
            failure.rest = Some(Box::new(RunDetails { others, summary }));
        }
        self
    }

    /// Adds a line that says what to do.
    pub(crate) fn with_help(mut self, help: &'static str) -> Self {
        if let Some(failure) = self.failure_mut() {
            failure.help = Some(help);
        }
        self
    }

    /// Names the grace period as the cause, if this is the failure of a part that has timed out.
    pub(crate) fn after(mut self, grace_period: Duration) -> Self {
        if let Some(failure) = self.failure_mut() {
            failure.grace_period = Some(GracePeriod(grace_period));
        }
        self
    }

    /// Marks an error of `run` that another attempt cannot fix, such as a refused password.
    ///
    /// A source with a [`Restart`](crate::Restart) is then not run again. The text and the causes of `error` stay the
    /// same.
    ///
    /// The mark is also found if `?` converts the error, or if it is in a box, in an `io::Error` or among the causes
    /// of another error.
    ///
    /// ```
    /// use pathway_io::{Error, RunResult};
    ///
    /// fn run() -> RunResult {
    ///     Err(Error::fatal("no such account"))?
    /// }
    ///
    /// let error: Error = run().unwrap_err().into();
    /// assert!(error.is_fatal());
    /// assert_eq!(error.to_string(), "no such account");
    /// ```
    pub fn fatal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Error::Fatal(Fatal { error: error.into(), refused: None })
    }

    /// Marks an error of a [`Sink`](crate::Sink) that refuses rows permanently, so that another attempt would refuse
    /// them, too. `update` is the number of the update in the commit, from 0, if the sink knows it.
    ///
    /// The error is [fatal](Error::fatal), unless [`SinkOptions::refused_rows`](crate::SinkOptions::refused_rows)
    /// leaves such rows out. The text and the causes of `error` stay the same.
    ///
    /// ```
    /// # use pathway_io::{Commit, Error, RunResult, Schema, Sink};
    /// # #[derive(Schema)] struct Cat { key: i64 }
    /// # struct Archive;
    /// # impl Archive { fn store(&mut self, _: &Cat) -> Result<(), &'static str> { Ok(()) } }
    /// impl Sink<Cat> for Archive {
    ///     fn write(&mut self, commit: &Commit<Cat>) -> RunResult {
    ///         for (number, update) in commit.iter().enumerate() {
    ///             self.store(&update.row).map_err(|refusal| Error::refused(number, refusal))?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn refused(update: impl Into<Option<usize>>, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let refused = update.into().map(|update| (update, None)).into_iter().collect();
        Error::Fatal(Fatal { error: error.into(), refused: Some(refused) })
    }

    /// Marks the errors of several updates of one commit as refused. Returns `None` if there are none.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn refused_each(updates: Vec<(usize, BoxError)>) -> Option<Self> {
        let mut updates = updates.into_iter();
        let (first, error) = updates.next()?;
        let refused = iter::once((first, None)).chain(updates.map(|(update, error)| (update, Some(error)))).collect();
        Some(Error::Fatal(Fatal { error, refused: Some(refused) }))
    }

    /// Returns whether this error, or a cause of it, is marked as [fatal](Error::fatal).
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        is_fatal(self)
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Error::Connector(failure)
            | Error::Sink(failure)
            | Error::Computation(failure)
            | Error::Pipeline(failure) => Some(failure),
            Error::Io(_) | Error::Closed(_) | Error::Row(_) | Error::Fatal(_) | Error::Other(_) => None,
        }
    }

    fn failure_mut(&mut self) -> Option<&mut Failure> {
        match self {
            Error::Connector(failure)
            | Error::Sink(failure)
            | Error::Computation(failure)
            | Error::Pipeline(failure) => Some(failure),
            Error::Io(_) | Error::Closed(_) | Error::Row(_) | Error::Fatal(_) | Error::Other(_) => None,
        }
    }

    fn rest(&self) -> Option<&RunDetails> {
        self.failure()?.rest.as_deref()
    }

    /// Returns the later failures of the same run, in the order in which they were noticed.
    #[must_use]
    pub fn others(&self) -> &[Error] {
        self.rest().map_or(&[], |rest| &rest.others)
    }

    /// Returns the summary of the run; `None` if the error is not from a run.
    #[must_use]
    pub fn summary(&self) -> Option<&Summary> {
        self.rest().map(|rest| &rest.summary)
    }
}

/// Returns an error that is marked as [fatal](Error::fatal).
pub(crate) fn fatal(error: impl Into<BoxError>) -> BoxError {
    Error::fatal(error).into()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, failure) = match self {
            Error::Connector(failure) => ("connector", failure),
            Error::Sink(failure) => ("sink", failure),
            Error::Computation(failure) => ("computation", failure),
            Error::Pipeline(failure) => return write!(f, "the pipeline {}", failure.kind),
            Error::Io(error) => return error.fmt(f),
            Error::Closed(closed) => return closed.fmt(f),
            Error::Row(error) => return error.fmt(f),
            Error::Fatal(fatal) => return fatal.fmt(f),
            Error::Other(error) => return error.fmt(f),
        };
        write!(f, "{part} `{}` {}", failure.name, failure.kind)?;
        failure.help.map_or(Ok(()), |help| write!(f, "\nhelp: {help}"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        // The sentence contains the direct cause.
        for cause in texts_of_causes(self) {
            write!(f, "\n  caused by: {cause}")?;
        }
        if let Error::Connector(Failure { name, rest: Some(rest), .. }) = self
            && let Some(SourceSummary { attempts: attempts @ 2.., error: Some(before), .. }) = rest.summary.source(name)
        {
            write!(f, "\n  attempts: {attempts}, the error before this one: {before}")?;
        }
        for other in self.others() {
            write!(f, "\n  later: {}", text_with_causes(other))?;
        }
        Ok(())
    }
}

impl StdError for Error {
    /// Returns the error that `run` or a sink returned, or that this error wraps. For a part that did not finish, it
    /// states the grace period.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Error::Connector(failure)
            | Error::Sink(failure)
            | Error::Computation(failure)
            | Error::Pipeline(failure) => match &failure.kind {
                FailureKind::Failed(cause) => Some(&**cause),
                FailureKind::TimedOut { .. } => failure.grace_period.as_ref().map(|over| over as _),
                FailureKind::Panicked { .. } => None,
            },
            Error::Io(error) => Some(error),
            Error::Closed(closed) => Some(closed),
            Error::Row(error) => Some(error),
            Error::Fatal(fatal) => Some(fatal),
            Error::Other(error) => Some(&**error),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Io(error)
    }
}

impl From<Closed> for Error {
    fn from(closed: Closed) -> Self {
        Error::Closed(closed)
    }
}

impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        Error::Row(error)
    }
}

impl From<BoxError> for Error {
    fn from(error: BoxError) -> Self {
        // A boxed `Error` is unwrapped, so that a second one does not hide its name and its summary.
        match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::Other(error),
        }
    }
}
