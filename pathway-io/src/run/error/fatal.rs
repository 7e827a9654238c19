//! Marks errors that a restart cannot fix, and finds the mark among the causes of an error.

use std::error::Error as StdError;
use std::fmt;

use crate::run::panics::source_of;

/// The mark of an error after which no [`Restart`](crate::Restart) follows; see [`Error::fatal`](crate::Error::fatal).
// It is a separate error below the `Error` that holds it. `io::Error::other` and `anyhow` hide the error that they wrap and
// expose only its causes, among which the mark is still found.
pub struct Fatal(pub(super) Box<dyn StdError + Send + Sync>);

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fatal").field(&self.0).finish()
    }
}

impl StdError for Fatal {
    /// Returns the cause of the marked error, because this error has the same text.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// The mark of an error of a sink that refuses rows permanently, below a [`Fatal`]: see
/// [`Error::refused`](crate::Error::refused).
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) update: Option<usize>,
    pub(super) error: Box<dyn StdError + Send + Sync>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for Refused {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

/// Returns the mark of an error, or of one of its causes, as refused: the number of the update in the commit, if it is
/// known.
pub(crate) fn refused_update(error: &(dyn StdError + 'static)) -> Option<Option<usize>> {
    let mut next = Some(error);
    while let Some(error) = next {
        let marked = error.downcast_ref::<Fatal>();
        if let Some(refused) = marked.and_then(|Fatal(inner)| inner.downcast_ref::<Refused>()) {
            return Some(refused.update);
        }
        next = source_of(error).unwrap_or(None);
    }
    None
}

/// Returns whether an error or one of its causes is marked as fatal.
pub(crate) fn is_fatal(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<Fatal>() {
            return true;
        }
        // An error whose `source` panics has no further causes.
        next = source_of(error).unwrap_or(None);
    }
    false
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::run::error::{BoxError, Error, FailureKind};

    fn boxed(error: impl Into<BoxError>) -> BoxError {
        error.into()
    }

    #[test]
    fn a_mark_is_found_however_the_error_is_wrapped() {
        let fatal = || Error::fatal("no such account");
        assert!(is_fatal(&*boxed(fatal())));
        assert!(Error::from(boxed(fatal())).is_fatal());
        assert!(is_fatal(&io::Error::other(fatal())));
        assert!(is_fatal(&io::Error::other(io::Error::other(boxed(fatal())))));
        assert!(is_fatal(&*boxed(anyhow::Error::from(fatal()))));
        assert!(is_fatal(&*boxed(anyhow::Error::from(fatal()).context("at the door").context("in the shop"))));
        assert!(Error::Other(boxed(io::Error::other(fatal()))).is_fatal());
        assert!(Error::connector("cats", FailureKind::Failed(boxed(fatal()))).is_fatal());
        assert!(!Error::from(boxed("no such account")).is_fatal());
        assert!(!is_fatal(&io::Error::other("no such account")));
    }

    #[test]
    fn a_mark_changes_neither_text_nor_causes() {
        let error = Error::fatal(anyhow::anyhow!("refused").context("no such account"));
        assert_eq!(error.to_string(), "no such account");
        assert_eq!(format!("{error:?}"), "no such account\n  caused by: refused");
    }
}
