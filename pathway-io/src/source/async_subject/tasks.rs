//! The names that `#[connector]` uses for an async `run`: counterparts of the names in the module
//! [`connector`](crate::source::connector).

use super::AsyncSubject;
use crate::rows::table::Table;
use crate::source::glue::{IfOffset, IfSchema};

/// An async subject of any row type, even if it is not a schema.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "expected an `AsyncSubject<_>`, found `{Self}`",
    label = "not an async subject",
    note = "an `async fn run` takes one `AsyncSubject<_>` for each table that it feeds"
)]
pub trait AsyncSubjectTypes {
    type Schema;
    type Offset;
}

#[diagnostic::do_not_recommend]
impl<S, O> AsyncSubjectTypes for AsyncSubject<S, O> {
    type Schema = S;
    type Offset = O;
}

/// `T`, if it is the async subject of a schema, with an offset type.
#[doc(hidden)]
pub type IfSubject<T> = IfSchema<<T as AsyncSubjectTypes>::Schema, IfOffset<<T as AsyncSubjectTypes>::Offset, T>>;

/// The table of an async subject behind a type alias, even if its row is not a schema.
#[doc(hidden)]
pub type TableOf<T> = Table<<T as AsyncSubjectTypes>::Schema>;
