//! Implements [`Subjects`](crate::Subjects) for an [`AsyncSubject`], which is made from a [`Subject`].

use std::sync::Arc;

use super::AsyncSubject;
use crate::rows::schema::Schema;
use crate::rows::table::Table;
use crate::source::connector::OneSubject;
use crate::source::declare::Declare;
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
