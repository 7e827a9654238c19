//! Marks errors that a restart cannot fix, and finds the mark among the causes of an error.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;

use crate::run::error::BoxError;
use crate::run::panics::{causes, text_of};

/// The mark of an error after which no [`Restart`](crate::Restart) follows; see [`Error::fatal`](crate::Error::fatal).
// It is a separate error below the `Error` that holds it. `io::Error::other` and `anyhow` hide the error that they wrap
// and expose only its causes, among which the mark is still found.
pub struct Fatal {
    pub(super) error: Box<dyn StdError + Send + Sync>,
    /// Set if a sink refuses rows permanently; see [`Error::refused`](crate::Error::refused). It contains the refused
    /// updates of the commit, as far as they are known. An update has its own reason unless this error describes it.
    pub(super) refused: Option<Vec<(usize, Option<BoxError>)>>,
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fatal").field(&self.error).finish()
    }
}

impl StdError for Fatal {
    /// Returns the cause of the marked error, because this error has the same text.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

/// Returns the refused updates that an error names, with the reasons. Returns `None` if neither the error nor one of
/// its causes is marked as refused. A mark that is only fatal can come before that one in the chain of causes.
pub(crate) fn refused_updates(error: &(dyn StdError + 'static)) -> Option<HashMap<usize, String>> {
    let reason = |other: &Option<BoxError>| other.as_ref().map_or_else(|| text_of(error), |other| text_of(&**other));
    Some(marked(error)?.iter().map(|(update, other)| (*update, reason(other))).collect())
}

/// Returns whether an error or one of its causes is marked as refused.
pub(crate) fn is_refused(error: &(dyn StdError + 'static)) -> bool {
    marked(error).is_some()
}

/// Returns the updates that an error or its nearest marked cause says are refused.
fn marked<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Vec<(usize, Option<BoxError>)>> {
    causes(error).find_map(|cause| cause.downcast_ref::<Fatal>()?.refused.as_ref())
}

/// Returns whether an error or one of its causes is marked as fatal.
pub(crate) fn is_fatal(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|error| error.is::<Fatal>())
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
    fn a_refused_update_is_found_below_a_fatal_error() {
        let error = boxed(Error::fatal(Error::refused(3, "no such key")));
        assert!(is_refused(&*error));
        assert_eq!(refused_updates(&*error), Some(HashMap::from([(3, "no such key".to_owned())])));
    }

    #[test]
    fn a_mark_changes_neither_text_nor_causes() {
        let error = Error::fatal(anyhow::anyhow!("refused").context("no such account"));
        assert_eq!(error.to_string(), "no such account");
        assert_eq!(format!("{error:?}"), "no such account\n  caused by: refused");
    }
}
