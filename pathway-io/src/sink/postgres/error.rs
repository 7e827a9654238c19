//! Errors with the server's own text, and the decision whether another attempt may succeed: [`classified`].

use std::error::Error as StdError;
use std::{fmt, io};

use postgres::tls::NoTlsError;

use crate::run::error::{BoxError, Error, fatal};
use crate::run::panics::causes;

/// An error of the server or of the connection. Its text includes the cause, because the client's own text is only `db
/// error`.
#[derive(Debug)]
struct ServerError(postgres::Error);

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = self.0.as_db_error() else {
            write!(f, "{}", self.0)?;
            causes(&self.0).skip(1).try_for_each(|cause| write!(f, ": {cause}"))?;
            let needs_tls = causes(&self.0).any(|cause| cause.is::<NoTlsError>());
            return if needs_tls {
                f.write_str("\nhelp: set a connector with `postgres::Options::tls`")
            } else {
                Ok(())
            };
        };
        let state = error.code().code();
        write!(f, "{} (SQLSTATE {state})", error.message())?;
        for (what, text) in [("detail", error.detail()), ("hint", error.hint()), ("in", error.where_())] {
            if let Some(text) = text {
                write!(f, "; {what}: {}", text.replace('\n', " "))?;
            }
        }
        // Each connection prepares a statement only once, so this error shows that another client has used the server's
        // process.
        if ["42P05", "26000"].contains(&state) {
            f.write_str("\nhelp: connect to the server itself, or to a connection pool in session mode")?;
        }
        Ok(())
    }
}

impl StdError for ServerError {}

/// Converts an error of the client. Marks it as a refusal of a row, or as fatal, unless another attempt may succeed.
pub(super) fn classified(error: postgres::Error) -> BoxError {
    let (is_transient, is_refusal) = (is_transient(&error), is_refusal(&error));
    let error = ServerError(error);
    match (is_transient, is_refusal) {
        (true, _) => error.into(),
        (_, true) => Error::refused(None, error).into(),
        _ => fatal(error),
    }
}

/// Converts an error of a `COPY`.
pub(super) fn classified_copy(error: io::Error) -> BoxError {
    error.downcast().map_or_else(BoxError::from, classified)
}

/// Returns whether a `COPY` has failed because another row has one of the keys. An upsert replaces it.
pub(super) fn is_taken(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref::<postgres::Error>());
    error.and_then(postgres::Error::code).is_some_and(|state| state.code() == "23505")
}

/// Returns the error for a connection string that the client cannot parse.
pub(super) fn invalid(error: postgres::Error) -> BoxError {
    let error = ServerError(error);
    fatal(format!(
        "{error}\nhelp: write `host=db user=zoo dbname=zoo` or `postgresql://zoo@db/zoo`; a URL has the special characters of a \
         password as `%40` and the like; certificates are options of the connector of `postgres::Options::tls`"
    ))
}

/// Returns whether the server refuses a row permanently: because of its values, a constraint, a limit, a row-level
/// security policy, or a trigger that raises an exception.
fn is_refusal(error: &postgres::Error) -> bool {
    let Some(error) = error.as_db_error() else { return false };
    let state = error.code().code();
    // A value that takes more than 1 GB in the server causes an internal error, whose text is not translated.
    let is_too_large = state == "XX000" && error.message().starts_with("invalid memory alloc request size");
    // These are the functions of the server for `RAISE`, which can use any state, and for policies, which share a state
    // with missing privileges.
    let is_raised = matches!(error.routine(), Some("exec_stmt_raise" | "ExecWithCheckOptions"));
    ["22", "23", "54", "P0"].iter().any(|class| state.starts_with(class)) || is_raised || is_too_large
}

fn is_transient(error: &postgres::Error) -> bool {
    let Some(state) = error.code() else {
        return causes(error).any(|cause| cause.is::<io::Error>()) || error.is_closed();
    };
    let state = state.code();
    // The classes for connections, an operator's intervention and insufficient resources, and the codes for
    // serialization failures, deadlocks, lock time-outs, and a standby that is not yet the primary server.
    let states = ["40001", "40P01", "55P03", "25006"];
    ["08", "57P", "53"].iter().any(|class| state.starts_with(class)) || states.contains(&state)
}
