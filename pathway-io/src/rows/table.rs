//! [`Table`]: the handle by which sinks and computations are attached to a table, before its pipeline starts.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::rows::schema::Schema;
use crate::run::lock::Lock;

/// A table that a source or a computation feeds.
///
/// Attach sinks and computations to it before its pipeline starts. Clones refer to the same table. The rows of a table
/// without a sink are counted and dropped.
pub struct Table<S> {
    name: Arc<str>,
    extensions: Arc<Extensions>,
    rows: PhantomData<fn() -> S>,
}

/// The values that the layers attach to a table, one for each type: its sinks, its state, the computations that read
/// it.
///
/// `Table<S>` has no bound on `S`, so that a struct with a wrong schema causes one error, at its definition, and not a
/// further error at each of its tables. The values are therefore type-erased.
#[doc(hidden)]
#[derive(Default)]
pub struct Extensions(Lock<Vec<Arc<dyn Any + Send + Sync>>>);

impl Extensions {
    /// Returns the value of a type if there is one.
    pub(crate) fn find<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.lock().iter().find_map(|value| Arc::clone(value).downcast().ok())
    }

    /// Returns the value of a type, which is created if there is none.
    pub(crate) fn get<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        let mut values = self.0.lock();
        values.iter().find_map(|value| Arc::clone(value).downcast().ok()).unwrap_or_else(|| {
            let value = Arc::<T>::default();
            values.push(Arc::clone(&value) as _);
            value
        })
    }
}

impl<S> Table<S> {
    pub(crate) fn new(name: Arc<str>) -> Self {
        Table { name, extensions: Arc::default(), rows: PhantomData }
    }

    /// Returns the name of the connector or the computation that feeds the table.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn extensions(&self) -> &Arc<Extensions> {
        &self.extensions
    }
}

impl<S> Clone for Table<S> {
    fn clone(&self) -> Self {
        Table { name: Arc::clone(&self.name), extensions: Arc::clone(&self.extensions), rows: PhantomData }
    }
}

impl<S: Schema> fmt::Debug for Table<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("connector", &self.name).field("schema", &S::SCHEMA.name).finish_non_exhaustive()
    }
}
