//! The push methods that a [`Subject`](crate::Subject), a [`Transaction`](crate::Transaction) and a table inside one
//! have in common, written once.

/// Expects of `Self` the methods `push(&self, fill) -> Result<Result<(), E>, Closed>` and
/// `bad_row(&self, RowError, &[u8]) -> Result<(), RowError>`.
macro_rules! push_methods {
    () => {
        /// Pushes one row. Outside a transaction it waits while the backlog is full.
        ///
        /// # Errors
        ///
        /// [`Closed`] if the subject is closed: `run` should end.
        #[inline]
        pub fn next(&self, row: S) -> Result<(), Closed> {
            let fields = row.into_fields();
            let Ok(()) = self.push::<std::convert::Infallible>(|batch| {
                batch.push(fields);
                Ok(())
            })?;
            Ok(())
        }

        /// Decodes one JSON object by the schema and pushes it. Defaults fill in what is missing, fields that are no
        /// columns are passed over (unless the schema says `deny_unknown`), and white space around the object is
        /// allowed.
        ///
        /// # Errors
        ///
        /// A [`RowError`] that names column, position and reason, if the policy for bad rows is to fail; nothing is
        /// pushed then. On a closed subject an error whose [`is_closed`](RowError::is_closed) is true.
        #[inline]
        pub fn next_json(&self, json: impl AsRef<[u8]>) -> Result<(), RowError> {
            let json = json.as_ref();
            match self.push(|batch| batch.push_json(json)) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => self.bad_row(error, json),
                Err(Closed) => Err(RowError::closed()),
            }
        }

        /// Pushes a row from a JSON value that was parsed already, by the rules of [`next_json`](Self::next_json).
        ///
        /// # Errors
        ///
        /// As [`next_json`](Self::next_json), without a position.
        pub fn next_value(&self, value: serde_json::Value) -> Result<(), RowError> {
            // The value is needed a second time only if it does not fit.
            match self.push(|batch| batch.push_value(&value)) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => self.bad_row(error, value.to_string().as_bytes()),
                Err(Closed) => Err(RowError::closed()),
            }
        }

        /// Pushes a row by its `data: String` column; the others get their defaults.
        ///
        /// # Errors
        ///
        /// [`Closed`] if the subject is closed.
        pub fn next_str(&self, data: impl AsRef<str>) -> Result<(), Closed>
        where
            S: crate::schema::DataColumn<String>,
        {
            self.next(S::from_data(data.as_ref().to_owned()))
        }

        /// Pushes a row by its `data: Vec<u8>` column; the others get their defaults.
        ///
        /// # Errors
        ///
        /// [`Closed`] if the subject is closed.
        pub fn next_bytes(&self, data: impl AsRef<[u8]>) -> Result<(), Closed>
        where
            S: crate::schema::DataColumn<Vec<u8>>,
        {
            self.next(S::from_data(data.as_ref().to_vec()))
        }

        /// Retracts the row with that primary key: a tuple, in column order, if the key has several columns. A key
        /// that no row has is no error and makes no output.
        ///
        /// # Errors
        ///
        /// [`Closed`] if the subject is closed.
        pub fn remove(&self, key: <S as crate::schema::Keyed>::Key) -> Result<(), Closed>
        where
            S: crate::schema::Keyed + crate::schema::Removable,
        {
            let key = S::tombstone(key);
            let Ok(()) = self.push::<std::convert::Infallible>(|batch| {
                batch.push_removal(key);
                Ok(())
            })?;
            Ok(())
        }

        /// Hands over a bad row that the source itself has found, such as a torn frame: it goes the way of the
        /// policy for bad rows.
        ///
        /// # Errors
        ///
        /// The row's error with that `reason`, if the policy is to fail. On a closed subject an error whose
        /// [`is_closed`](RowError::is_closed) is true: the row is then no bad one, but what the stop has torn.
        pub fn reject(&self, raw: impl AsRef<[u8]>, reason: impl std::fmt::Display) -> Result<(), RowError> {
            let error = RowError::new(reason.to_string());
            match self.push(|_| Err::<(), _>(error)) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => self.bad_row(error, raw.as_ref()),
                Err(Closed) => Err(RowError::closed()),
            }
        }
    };
}
pub(crate) use push_methods;
