//! Rows that are committed together: [`Transaction`].

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::rows::batch::{Batch, RefusedRow};
use crate::rows::bounds::Removable;
use crate::rows::schema::{Keyed, Schema};
use crate::run::error::Closed;
use crate::run::error::row_error::RowError;
use crate::source::intake::pending::{Amount, Pending};
use crate::source::intake::{Entry, Push};
use crate::source::offset::Offset;
use crate::source::push::push_methods;
use crate::source::subject::Subject;

/// Rows that become visible together or not at all.
///
/// It has the push methods of a [`Subject`]. Its rows are kept in memory, whatever their number, until
/// [`commit`](Self::commit) makes one commit of the plain rows pushed before and the rows of the transaction.
/// Autocommit, a full backlog and other commits never take a part of it. A transaction that is dropped writes nothing.
///
/// ```
/// use pathway_io::{connector, testing, Schema, Subject};
///
/// #[derive(Schema)]
/// struct Account {
///     #[schema(primary_key)]
///     name: String,
///     balance: i64,
/// }
///
/// #[derive(Schema)]
/// struct Booking { text: String }
///
/// struct Bank;
///
/// #[connector]
/// impl Bank {
///     fn run(&mut self, accounts: Subject<Account>, bookings: Subject<Booking>) -> pathway_io::RunResult {
///         let transfer = accounts.transaction();
///         transfer.next(Account { name: "ann".into(), balance: -5 })?;
///         transfer.next(Account { name: "bob".into(), balance: 5 })?;
///         transfer.with(&bookings).next(Booking { text: "ann to bob: 5".into() })?;
///         transfer.commit()?;
///         Ok(())
///     }
/// }
/// # let pipeline = pathway_io::Pipeline::new();
/// # let (_accounts, _bookings) = pipeline.read(Bank);
/// # assert_eq!(pipeline.run()?.sources[0].commits, 1);
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[must_use = "a transaction that is dropped writes nothing"]
pub struct Transaction<S, O = ()> {
    subject: Subject<S, O>,
    rows: Mutex<Pending>,
    /// Whether the line of a bad row waits for space.
    bad_rows: Push,
}

impl<S, O> Drop for Transaction<S, O> {
    fn drop(&mut self) {
        let rows = self.rows.get_mut().unwrap_or_else(PoisonError::into_inner);
        if rows.offsets_before.is_some() {
            self.subject.source().intake.drop_transaction(self.subject.entry());
        }
    }
}

/// Another table of the connector inside a [`Transaction`]; see [`Transaction::with`].
pub struct TransactionTable<'a, S, O = ()> {
    subject: &'a Subject<S, O>,
    /// The table, in the attempt of the transaction or of the subject, whichever is older. A handle of an earlier
    /// attempt is closed, so a push through one is refused.
    entry: Entry,
    rows: &'a Mutex<Pending>,
    bad_rows: Push,
}

impl<S: Schema, O> Subject<S, O> {
    /// Starts a transaction: rows that become visible together or not at all. See [`Transaction`].
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// let both = cats.transaction();
    /// both.next(Cat { key: 1, genus: "felis".into() })?;
    /// both.next(Cat { key: 2, genus: "lynx".into() })?;
    /// both.commit()?;
    /// # Ok(()) }
    /// ```
    #[must_use = "a transaction that is dropped writes nothing"]
    pub fn transaction(&self) -> Transaction<S, O> {
        Transaction::new(self.clone(), Push::Wait)
    }
}

impl<S: Schema, O> Transaction<S, O> {
    pub(crate) fn new(subject: Subject<S, O>, bad_rows: Push) -> Self {
        Transaction { subject, rows: Mutex::default(), bad_rows }
    }

    /// Returns the transaction's own table.
    #[inline]
    pub(crate) fn table(&self) -> TransactionTable<'_, S, O> {
        self.table_of(&self.subject)
    }

    fn table_of<'a, T>(&'a self, subject: &'a Subject<T, O>) -> TransactionTable<'a, T, O> {
        let Entry { table, attempt } = subject.entry();
        let entry = Entry { table, attempt: attempt.min(self.subject.entry().attempt) };
        TransactionTable { subject, entry, rows: &self.rows, bad_rows: self.bad_rows }
    }

    push_methods!(.table());

    /// Makes the transaction the whole table: its commit also retracts all rows whose keys it does not contain.
    ///
    /// Use it for a source that reads its whole table each time, such as a poll of an API. The commit contains only the
    /// differences, even after a restart. If the transaction has no rows, all rows are retracted. If it is dropped,
    /// nothing is retracted. Another table of the connector keeps its rows, unless it is replaced too:
    /// `transaction.with(&other).replace_all()`.
    ///
    /// Rows that were pushed outside the transaction are replaced if they were pushed before its commit. Rows that the
    /// policy for bad rows leaves out are not in the transaction, so their earlier rows are retracted.
    ///
    /// The schema needs a primary key, and must not be `append_only`.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # use std::time::Duration;
    /// # #[derive(Schema)] struct Ship { #[schema(primary_key)] id: u32, name: String }
    /// # fn ask_port() -> Vec<Ship> { Vec::new() }
    /// # fn run(ships: Subject<Ship>) -> pathway_io::RunResult {
    /// loop {
    ///     let in_port = ships.transaction().replace_all();
    ///     for ship in ask_port() {
    ///         in_port.next(ship)?;
    ///     }
    ///     in_port.commit()?; // ships that have left are retracted
    ///     ships.sleep(Duration::from_secs(60))?;
    /// }
    /// # }
    /// ```
    ///
    /// In a source that is read in several partitions, a transaction cannot be the whole table. Its commit then fails
    /// the pipeline and returns [`Closed`].
    #[doc(alias("truncate", "snapshot", "overwrite"))]
    pub fn replace_all(self) -> Self
    where
        S: Keyed + Removable,
    {
        self.table().replace_all();
        self
    }

    /// Pushes into another table of the connector, in the same transaction.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Account { #[schema(primary_key)] name: String, balance: i64 }
    /// # #[derive(Schema)] struct Booking { text: String }
    /// # fn run(accounts: Subject<Account>, bookings: Subject<Booking>) -> pathway_io::RunResult {
    /// let transfer = accounts.transaction();
    /// transfer.next(Account { name: "ann".into(), balance: -5 })?;
    /// transfer.with(&bookings).next(Booking { text: "ann pays 5".into() })?;
    /// transfer.commit()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `other` belongs to another connector, because its rows could not be in one commit with these.
    #[must_use]
    pub fn with<'a, T: Schema>(&'a self, other: &'a Subject<T, O>) -> TransactionTable<'a, T, O> {
        assert!(
            std::ptr::eq(&**self.subject.source(), &**other.source()),
            "a transaction spans the tables of one connector, and `{}` is not `{}`",
            other.source().name,
            self.subject.source().name
        );
        self.table_of(other)
    }

    /// Commits the plain rows pushed so far and then the rows of the transaction, as one commit.
    ///
    /// The call waits while the backlog has no space. A transaction larger than the backlog waits until nothing else is
    /// in flight. If the connector sets offsets, the transaction is written whole after the next offset;
    /// [`commit_at`](Self::commit_at) sets one. An offset that was set while the transaction was open covers the rows
    /// that it had then: it waits, with everything pushed before it, until the transaction has ended. If rows were
    /// pushed into the transaction after the offset, the offset waits for the next one.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// let both = cats.transaction();
    /// both.next(Cat { key: 1, genus: "felis".into() })?;
    /// both.next(Cat { key: 2, genus: "lynx".into() })?;
    /// both.commit()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] after a stop, or if one of its tables was closed. Nothing of the transaction is written then.
    #[doc(alias("flush"))]
    pub fn commit(self) -> Result<(), Closed> {
        self.finish(None::<()>)
    }

    fn finish<P: Offset>(mut self, offset: Option<P>) -> Result<(), Closed> {
        let rows = self.take_rows()?;
        let source = self.subject.source();
        let committed = source.intake.commit_transaction(self.subject.entry(), rows, offset);
        committed.map_err(|refused| source.refuse(refused))
    }

    /// Takes the rows. The caller tells the intake how the transaction ends.
    pub(crate) fn take_rows(&mut self) -> Result<Pending, Closed> {
        let rows = self.rows.get_mut().unwrap_or_else(PoisonError::into_inner);
        if rows.replaces {
            self.subject.source().check_whole()?;
        }
        let mut rows = std::mem::take(rows);
        // The last push into the transaction may have panicked.
        rows.repair();
        Ok(rows)
    }

    pub(crate) fn subject(&self) -> &Subject<S, O> {
        &self.subject
    }
}

impl<S: Schema, O> Transaction<S, O> {
    /// Commits like [`commit`](Self::commit), and sets the offset for everything that the connector pushed before.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Line { text: String }
    /// # fn run(lines: Subject<Line, u64>) -> pathway_io::RunResult {
    /// let page = lines.transaction();
    /// page.next(Line { text: "tea".into() })?;
    /// page.next(Line { text: "milk".into() })?;
    /// page.commit_at(2)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`commit`](Self::commit).
    pub fn commit_at(self, offset: O) -> Result<(), Closed>
    where
        O: Offset,
    {
        self.finish(Some(offset))
    }
}

impl<S: Schema, O> TransactionTable<'_, S, O> {
    /// Locks the rows of the transaction, which the first row opens.
    fn open(&self) -> Result<MutexGuard<'_, Pending>, Closed> {
        let mut rows = self.rows.lock().unwrap_or_else(|poisoned| {
            let mut rows = poisoned.into_inner();
            rows.repair();
            rows
        });
        let intake = &self.subject.source().intake;
        match rows.offsets_before {
            Some(_) => intake.check_open(self.entry)?,
            None => rows.offsets_before = Some(intake.open_transaction(self.entry)?),
        }
        Ok(rows)
    }

    fn count(&self, rows: &mut Pending, count: u64) {
        rows.offsets_before = Some(self.subject.source().intake.count_rows(self.entry.table, count));
    }

    #[inline]
    pub(crate) fn push_row<E>(
        &self,
        fill: impl FnOnce(&mut Batch<S>) -> Result<(), E>,
    ) -> Result<Result<(), E>, Closed> {
        let mut open = self.open()?;
        let pushed = open.push::<S, E>(self.entry.table, self.subject.pool(), fill);
        if pushed.is_ok() {
            self.count(&mut open, 1);
        }
        Ok(pushed)
    }

    pub(crate) fn push_rows<E>(
        &self,
        mut rows: impl FnMut(&mut Batch<S>) -> Option<Result<(), E>>,
    ) -> Result<Result<(), E>, Closed> {
        let (table, pool, mut is_last) = (self.entry.table, self.subject.pool(), false);
        while !is_last {
            let mut count = 0;
            let mut open = self.open()?;
            let pushed = open.push_all::<S, E>(table, pool, Amount::MAX, &mut count, &mut rows);
            if count > 0 {
                self.count(&mut open, count);
            }
            match pushed {
                Ok(end) => is_last = end,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }

    pub(crate) fn bad_row(&self, error: RowError, raw: &[u8]) -> Result<(), RowError> {
        self.subject.source().bad_row(self.entry, error, raw, None::<()>, self.bad_rows)
    }

    pub(crate) fn refused_row(&self, refused: RefusedRow<S>) -> Result<(), Closed> {
        self.subject.source().refused_row(self.entry, refused, None::<()>, self.bad_rows)
    }

    push_methods!();

    /// Makes the transaction's rows of this table the whole table. See [`Transaction::replace_all`].
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Ship { #[schema(primary_key)] id: u32, name: String }
    /// # #[derive(Schema)] struct Berth { #[schema(primary_key)] number: u32, ship: u32 }
    /// # fn run(ships: Subject<Ship>, berths: Subject<Berth>) -> pathway_io::RunResult {
    /// let port = ships.transaction().replace_all();
    /// let taken = port.with(&berths).replace_all();
    /// port.next(Ship { id: 7, name: "Argo".into() })?;
    /// taken.next(Berth { number: 1, ship: 7 })?;
    /// port.commit()?; // both tables change in one commit
    /// # Ok(()) }
    /// ```
    pub fn replace_all(self) -> Self
    where
        S: Keyed + Removable,
    {
        let mut pending = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.offsets_before.is_none() {
            // If the subject is closed, the commit returns the error.
            pending.offsets_before = self.subject.source().intake.open_transaction(self.entry).ok();
        }
        pending.start_table::<S>(self.entry.table, self.subject.pool());
        self
    }
}

impl<S, O> fmt::Debug for Transaction<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl<S, O> fmt::Debug for TransactionTable<'_, S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionTable").field("subject", &self.subject).finish_non_exhaustive()
    }
}
