//! The pushes of a [`Subject`] that never wait.

use crate::rows::batch::RefusedRow;
use crate::rows::bounds::Removable;
use crate::rows::schema::{Keyed, Schema};
use crate::run::error::Closed;
use crate::run::error::row_error::RowError;
use crate::source::intake::{Admitted, Push, Refused};
use crate::source::subject::Subject;
use crate::source::try_next_error::TryNextError;

/// Pushes for callbacks that must not block.
impl<S, O> Subject<S, O> {
    /// Pushes one row if this is possible without waiting.
    ///
    /// Use it in callbacks that must not block.
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// if let Err(error) = cats.try_next(Cat { key: 1, genus: "felis".into() }) {
    ///     let row = error.into_row(); // the backlog is full, or the subject is closed
    ///     eprintln!("dropped cat {}", row.key);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the row if the backlog is full or the subject is closed.
    ///
    /// # Panics
    ///
    /// Panics if a column cannot hold its value; see [`next`](Self::next).
    pub fn try_next(&self, row: S) -> Result<(), TryNextError<S>>
    where
        S: Schema,
    {
        match self.try_admit() {
            Ok(admitted) => {
                admitted.push::<S, _>(self.pool(), |batch| batch.push(row.into_fields())).or_else(|refused| {
                    let RefusedRow { row, json, error } = *refused;
                    let refused = RefusedRow { row: (), json, error };
                    // There was space for the row, so there is space for the line of a bad row.
                    let passed = self.source().refused_row(self.entry(), refused, None::<()>, Push::Reserved);
                    passed.map_err(|Closed| TryNextError::Closed(row))
                })
            }
            Err(Refused::Full) => Err(TryNextError::Full(row)),
            Err(Refused::Closed | Refused::NoOffset) => Err(TryNextError::Closed(row)),
        }
    }

    /// Decodes one JSON object and pushes it if this is possible without waiting. See [`next_json`](Self::next_json).
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// match cats.try_next_json(r#"{"key": 1, "genus": "felis"}"#) {
    ///     Err(error) if error.is_full() => eprintln!("dropped a cat"),
    ///     result => result?,
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`next_json`](Self::next_json). If the backlog is full, returns an error whose
    /// [`is_full`](RowError::is_full) is true: the text was not read, and does not count as a bad row.
    pub fn try_next_json(&self, json: impl AsRef<[u8]>) -> Result<(), RowError>
    where
        S: Schema,
    {
        let json = json.as_ref();
        match self.try_admit() {
            Ok(admitted) => admitted.push::<S, RowError>(self.pool(), |batch| batch.push_json(json)).or_else(|error| {
                // There was space for the row, so there is space for the line of a bad row.
                self.source().bad_row(self.entry(), error, json, None::<()>, Push::Reserved)
            }),
            Err(Refused::Full) => Err(RowError::full()),
            Err(Refused::Closed | Refused::NoOffset) => Err(RowError::closed()),
        }
    }

    /// Retracts the row with this primary key if this is possible without waiting. See [`remove`](Self::remove).
    ///
    /// ```
    /// # use pathway_io::{Schema, Subject, TryNextError};
    /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
    /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
    /// if let Err(TryNextError::Full(key)) = cats.try_remove(1) {
    ///     eprintln!("cat {key} stays for now");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the key if the backlog is full or the subject is closed.
    pub fn try_remove(&self, key: <S as Keyed>::Key) -> Result<(), TryNextError<<S as Keyed>::Key>>
    where
        S: Keyed + Removable,
    {
        match self.try_admit() {
            Ok(admitted) => {
                let Ok(()) = admitted.push::<S, _>(self.pool(), |batch| batch.push_removal(key));
                Ok(())
            }
            Err(Refused::Full) => Err(TryNextError::Full(key)),
            Err(Refused::Closed | Refused::NoOffset) => Err(TryNextError::Closed(key)),
        }
    }

    fn try_admit(&self) -> Result<Admitted<'_>, Refused> {
        self.source().intake.admit(self.entry(), Push::Try).inspect_err(|refused| {
            if *refused != Refused::Full {
                self.source().refuse(*refused);
            }
        })
    }
}
