//! What `#[connector]` refers to where `run` takes [`AsyncSubject`]s: the counterparts of the same names in the module
//! [`glue`](crate::source::glue).

use std::sync::Arc;

use super::AsyncSubject;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::source::connector::OneSubject;
use crate::source::declare::Declare;
use crate::source::glue::IfSchema;
use crate::source::intake::pending::AnyPool;
use crate::source::offset::{Offset, OffsetType};
use crate::source::shared::Source;
use crate::source::subject::Subject;

impl<S: Schema, O: Offset> OneSubject for AsyncSubject<S, O> {
    type Table = Table<S>;

    fn declare_one(tables: &mut impl Declare) -> Table<S> {
        <Subject<S, O>>::declare_one(tables)
    }

    fn offset_type_one() -> OffsetType {
        <Subject<S, O>>::offset_type_one()
    }

    fn open_one(source: &Arc<Source>, pools: &[AnyPool], index: usize) -> Self {
        <Subject<S, O>>::open_one(source, pools, index).into()
    }
}

/// What an async subject is one of, be that a schema or not.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "expected an `AsyncSubject<_>`, found `{Self}`",
    label = "not an async subject",
    note = "an `async fn run` takes one `AsyncSubject<_>` for each table that it feeds"
)]
pub trait SubjectTypes {
    type Schema;
    type Offset;
}

#[diagnostic::do_not_recommend]
impl<S, O> SubjectTypes for AsyncSubject<S, O> {
    type Schema = S;
    type Offset = O;
}

/// `T`, if it is the async subject of a schema.
#[doc(hidden)]
pub type IfSubject<T> = IfSchema<<T as SubjectTypes>::Schema, T>;

/// The table of an async subject by another name, be its row a schema or not.
#[doc(hidden)]
pub type TableOf<T> = Table<<T as SubjectTypes>::Schema>;
