//! Implements [`Subjects`](crate::Subjects) for an [`AsyncSubject`], which is made from a [`Subject`].

use std::sync::Arc;

use super::AsyncSubject;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::source::connector::{Pools, Subjects};
use crate::source::declare::Declare;
use crate::source::offset::{Offset, OffsetType};
use crate::source::shared::Source;
use crate::source::subject::Subject;

impl<S: Schema, O: Offset> Subjects for AsyncSubject<S, O> {
    type Tables = Table<S>;

    fn declare(tables: &mut impl Declare) -> Table<S> {
        <Subject<S, O>>::declare(tables)
    }

    fn offset_type() -> OffsetType {
        <Subject<S, O>>::offset_type()
    }

    fn open(source: &Arc<Source>, pools: &mut Pools<'_>) -> Self {
        <Subject<S, O>>::open(source, pools).into()
    }
}
