//! [`AsyncTransaction`]: a transaction whose commit is a future.

use std::fmt;
use std::future::poll_fn;

use super::AsyncSubject;
use crate::rows::bounds::Removable;
use crate::rows::schema::{Keyed, Schema};
use crate::run::error::Closed;
use crate::run::error::row_error::RowError;
use crate::source::intake::{Committing, Push, Registration};
use crate::source::offset::Offset;
use crate::source::push::push_methods;
use crate::source::transaction::{Transaction, TransactionTable};

/// Rows that become visible together or not at all, pushed from a task.
///
/// It has the push methods of a [`Transaction`]. They are not async, because they never wait: the rows are kept in
/// memory, whatever their number. [`commit`](Self::commit) is async. A transaction that is dropped writes nothing.
///
/// ```
/// # use pathway_io::{AsyncSubject, Closed, Schema};
/// # #[derive(Schema)] struct Account { name: String, balance: i64 }
/// # #[derive(Schema)] struct Booking { text: String }
/// # async fn book(accounts: AsyncSubject<Account>, bookings: AsyncSubject<Booking>) -> Result<(), Closed> {
/// let transfer = accounts.transaction();
/// transfer.next(Account { name: "ann".into(), balance: -5 })?;
/// transfer.next(Account { name: "bob".into(), balance: 5 })?;
/// transfer.with(&bookings).next(Booking { text: "ann to bob: 5".into() })?;
/// transfer.commit().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a transaction that is dropped writes nothing"]
pub struct AsyncTransaction<S, O = ()> {
    rows: Transaction<S, O>,
}

impl<S: Schema, O> AsyncTransaction<S, O> {
    pub(super) fn new(subject: &AsyncSubject<S, O>) -> Self {
        // A bad row must not wait for space, which would block the thread. It counts as part of the transaction.
        AsyncTransaction { rows: Transaction::new(subject.subject.clone(), Push::Reserved) }
    }

    push_methods!(.rows.table());

    /// Makes the transaction the whole table: its commit also retracts all rows whose keys it does not contain. See
    /// [`Transaction::replace_all`].
    ///
    /// ```
    /// # use pathway_io::{AsyncSubject, Closed, Schema};
    /// # #[derive(Schema)] struct Ship { #[schema(primary_key)] id: u32, name: String }
    /// # async fn run(ships: AsyncSubject<Ship>, in_port: Vec<Ship>) -> Result<(), Closed> {
    /// let all = ships.transaction().replace_all();
    /// for ship in in_port {
    ///     all.next(ship)?;
    /// }
    /// all.commit().await?; // ships that have left are retracted
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias("truncate", "snapshot", "overwrite"))]
    pub fn replace_all(self) -> Self
    where
        S: Keyed + Removable,
    {
        AsyncTransaction { rows: self.rows.replace_all() }
    }

    /// Pushes into another table of the connector, in the same transaction.
    ///
    /// # Panics
    ///
    /// Panics if `other` belongs to another connector, since its rows could not be in one commit with these.
    #[must_use]
    pub fn with<'a, T: Schema>(&'a self, other: &'a AsyncSubject<T, O>) -> TransactionTable<'a, T, O> {
        self.rows.with(&other.subject)
    }

    /// Commits the plain rows pushed so far and then the rows of the transaction, as one commit; see
    /// [`Transaction::commit`].
    ///
    /// The call waits while the backlog has no space.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, nothing of the transaction is written, and its place in the queue
    /// is released.
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] after a stop, or if one of its tables was closed: nothing of the transaction is written.
    #[doc(alias("flush"))]
    pub async fn commit(self) -> Result<(), Closed> {
        self.finish(None::<()>).await
    }

    async fn finish<P: Offset>(mut self, offset: Option<P>) -> Result<(), Closed> {
        let rows = self.rows.take_rows()?;
        let subject = self.rows.subject();
        let source = subject.source();
        let mut committing = Committing::new(&source.intake, subject.entry(), rows, offset);
        let mut registration = Registration::for_space(&*source.intake);
        let committed = poll_fn(|cx| committing.poll_commit(&mut registration, cx)).await;
        committed.map_err(|refused| source.refuse(refused))
    }
}

impl<S: Schema, O> AsyncTransaction<S, O> {
    /// Commits like [`commit`](Self::commit), and sets the offset for the transaction and everything that the connector
    /// pushed before.
    ///
    /// # Cancel safety
    ///
    /// The same as for [`commit`](Self::commit). The offset is not set.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`commit`](Self::commit).
    pub async fn commit_at(self, offset: O) -> Result<(), Closed>
    where
        O: Offset,
    {
        self.finish(Some(offset)).await
    }
}

impl<S, O> fmt::Debug for AsyncTransaction<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncTransaction").field(&self.rows).finish()
    }
}
