//! [`Subject`], the handle through which a source pushes rows into a table.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::rows::batch::{Batch, RefusedRow};
use crate::rows::schema::Schema;
use crate::run::error::Closed;
use crate::run::error::row_error::RowError;
use crate::source::hook::Hook;
use crate::source::intake::pending::AnyPool;
use crate::source::intake::{Admitted, Entry, Push};
use crate::source::push::push_methods;
use crate::source::shared::Source;

/// Pushes rows into one table of a source.
///
/// [`Connector::run`](crate::Connector::run) receives a subject for each of its tables. Clones push into the same
/// table, from any thread. A push that returned before another began comes first. All clones are closed when `run`
/// returns, so wait in `run` for the threads that push.
///
/// Pushed rows become visible together, at the next commit. A commit is made by [`commit`](Self::commit), by the
/// autocommit interval, by a full backlog, or by the end of `run`. `O` is the type of the source's offsets, as in
/// `Subject<Cat, u64>`. With the default, `()`, the source has none.
///
/// The cookbook says [how to choose a push method](crate::guide::cookbook#choose-how-to-push).
///
/// ```
/// use pathway_io::{connector, testing, Schema, Subject};
///
/// #[derive(Schema)]
/// struct Cat {
///     #[schema(primary_key)]
///     key: i64,
///     genus: String,
/// }
///
/// struct Cats;
///
/// #[connector]
/// impl Cats {
///     fn run(&mut self, cats: Subject<Cat>) -> pathway_io::RunResult {
///         cats.next(Cat { key: 1, genus: "felis".into() })?;
///         cats.next_json(r#"{"key": 2, "genus": "lynx"}"#)?;
///         cats.commit()?;
///         cats.remove(1)?;
///         Ok(())
///     }
/// }
///
/// let updates = testing::collect(Cats)?;
/// let diffs: Vec<_> = updates.iter().map(|update| (update.row.key, update.diff)).collect();
/// assert_eq!(diffs, [(1, 1), (2, 1), (1, -1)]);
/// # Ok::<(), pathway_io::Error>(())
/// ```
pub struct Subject<S, O = ()> {
    source: Arc<Source>,
    entry: Entry,
    pool: AnyPool,
    /// `fn(S, O)` makes the subject `Send` and `Sync` for every row type, since a subject stores no rows.
    types: PhantomData<fn(S, O)>,
}

impl<S, O> Clone for Subject<S, O> {
    fn clone(&self) -> Self {
        Subject {
            source: Arc::clone(&self.source),
            entry: self.entry,
            pool: Arc::clone(&self.pool),
            types: PhantomData,
        }
    }
}

impl<S, O> Subject<S, O> {
    /// Returns the same handle with other type parameters, for a caller that knows them from the connector.
    pub(crate) fn of_types<T, P>(self) -> Subject<T, P> {
        Subject { source: self.source, entry: self.entry, pool: self.pool, types: PhantomData }
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    pub(crate) fn entry(&self) -> Entry {
        self.entry
    }

    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Waits until a row may be pushed. The result holds the intake's lock.
    #[inline]
    pub(crate) fn admit(&self, push: Push) -> Result<Admitted<'_>, Closed> {
        self.source.intake.admit(self.entry, push).map_err(|refused| self.source.refuse(refused))
    }
}

impl<S, O> fmt::Debug for Subject<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("connector", &self.source.name)
            .field("table", &self.entry.table)
            .finish_non_exhaustive()
    }
}

impl<S: Schema, O> Subject<S, O> {
    pub(crate) fn new(source: Arc<Source>, table: usize, pool: AnyPool) -> Self {
        let entry = Entry { table, attempt: source.intake.attempt() };
        Subject { source, entry, pool, types: PhantomData }
    }

    /// Pushes one row. The outer `Err` means that the subject is closed, the inner one that `fill` failed.
    #[inline]
    fn push_row<E>(&self, fill: impl FnOnce(&mut Batch<S>) -> Result<(), E>) -> Result<Result<(), E>, Closed> {
        Ok(self.admit(Push::Wait)?.push::<S, E>(&self.pool, fill))
    }

    /// Lets `rows` push one row after the other until it returns `None` or an error, which is returned. The outer `Err`
    /// means that the subject is closed.
    fn push_rows<E>(
        &self,
        mut rows: impl FnMut(&mut Batch<S>) -> Option<Result<(), E>>,
    ) -> Result<Result<(), E>, Closed> {
        loop {
            match self.admit(Push::Wait)?.push_all::<S, E>(&self.pool, &mut rows) {
                Ok(false) => {}
                Ok(true) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// Applies the `bad_rows` policy to a row that does not fit.
    pub(crate) fn bad_row(&self, error: RowError, raw: &[u8]) -> Result<(), RowError> {
        self.source.bad_row(self.entry, error, raw, None::<()>, Push::Wait)
    }

    fn refused_row(&self, refused: RefusedRow<S>) -> Result<(), Closed> {
        self.source.refused_row(self.entry, refused, None::<()>, Push::Wait)
    }
}

// This impl has no bounds, so that a row type that is not a schema causes one error, and methods without rows cause
// none.
impl<S, O> Subject<S, O> {
    push_methods!();

    /// Commits everything pushed so far, through any handle of this connector and into any of its tables.
    ///
    /// The commit does not contain open transactions. If nothing was pushed, nothing happens. If the connector sets
    /// offsets, rows after the last offset wait for the next one. `Ok` means that the commit is queued for the sinks;
    /// it is not durable yet. The call waits while the backlog has no space for the commit.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// cats.next(Cat { key: 1, genus: "felis".into() })?;
    /// cats.next(Cat { key: 2, genus: "lynx".into() })?;
    /// cats.commit()?; // sinks see both rows at one time
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] after a stop. The rows are committed nevertheless when `run` ends.
    #[doc(alias("flush"))]
    pub fn commit(&self) -> Result<(), Closed> {
        self.source.intake.commit(self.entry)
    }

    /// Commits, then closes this table for all clones of the subject.
    ///
    /// The library closes all tables of a connector when its `run` ends.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// let clone = cats.clone();
    /// cats.close()?;
    /// assert!(clone.is_closed());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] if the subject was already closed.
    pub fn close(self) -> Result<(), Closed> {
        self.source.intake.close_table(self.entry)
    }

    /// Waits for `duration`, or until a stop.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// loop {
    ///     // poll your source, push what is new
    ///     cats.sleep(std::time::Duration::from_secs(1))?; // a stop ends the wait, and `?` ends `run`
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Closed`] as soon as the subject is closed.
    pub fn sleep(&self, duration: Duration) -> Result<(), Closed> {
        // If the addition overflows, the wait has no deadline.
        self.source.intake.wait_closed(self.entry, self.source.control.time.now().checked_add(duration))
    }

    /// Waits until the subject is closed.
    ///
    /// Use it if the client pushes from its own threads and its calls return immediately.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// let clone = cats.clone();
    /// std::thread::spawn(move || clone.next(Cat { key: 1, genus: "felis".into() }));
    /// cats.wait_closed()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Always returns [`Closed`], so that `subject.wait_closed()?` ends `run`.
    pub fn wait_closed(&self) -> Result<(), Closed> {
        self.source.intake.wait_closed(self.entry, None)
    }

    /// Returns whether the subject is closed: by a stop, by [`close`](Self::close), or because this attempt of `run`
    /// has ended.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// while !cats.is_closed() {
    ///     // read the next message from a client that cannot be interrupted
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.source.intake.is_closed(self.entry)
    }

    /// Registers a hook that the library calls once at a stop, to unblock a `run` that waits in a call of another
    /// library.
    ///
    /// The hook runs on its own thread, after the subjects are closed. Its result is ignored. If a stop was requested
    /// already, it is called immediately. When `run` has returned, it is dropped. You can register several hooks. A
    /// panic in a hook fails the pipeline.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// use std::io::Read;
    /// use std::net::{Shutdown, TcpStream};
    ///
    /// let mut socket = TcpStream::connect("feed.example.org:9000")?;
    /// cats.on_interrupt({
    ///     let socket = socket.try_clone()?;
    ///     move || socket.shutdown(Shutdown::Both)
    /// });
    /// let mut line = String::new();
    /// socket.read_to_string(&mut line)?; // the hook ends this read
    /// # Ok(()) }
    /// ```
    pub fn on_interrupt<R>(&self, hook: impl FnOnce() -> R + Send + 'static) -> Hook {
        let hook = Box::new(move || {
            hook();
        });
        self.source.hooks.add(self.entry.attempt, hook)
    }
}
