//! The push methods that a [`Subject`](crate::Subject), a [`Transaction`](crate::Transaction) and a table inside one
//! have in common, written once.

/// Expects of `Self` the methods `push(&self, fill) -> Result<Result<(), E>, Closed>`, `push_all(&self, rows)` with the
/// same result, and `bad_row(&self, RowError, &[u8]) -> Result<(), RowError>`. The bounds are on the methods: for one on
/// the impl rustc would not say that the type is no schema.
macro_rules! push_methods {
    () => {
        /// Pushes one row. Outside a transaction it waits while the backlog is full.
        ///
        /// # Errors
        ///
        /// [`Closed`] if the subject is closed: `run` should end.
        ///
        /// # Panics
        ///
        /// If the value of a `#[schema(json)]` column cannot be written as JSON: its own `Serialize` fails, or a map has
        /// keys that are no texts. Nothing is pushed then. In `run`, a panic ends the pipeline with an error that names
        /// the connector, the type and the reason; what was pushed before is committed.
        #[inline]
        #[doc(alias("push", "send", "emit"))]
        pub fn next(&self, row: S) -> Result<(), Closed>
        where
            S: Schema,
        {
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
        pub fn next_json(&self, json: impl AsRef<[u8]>) -> Result<(), RowError>
        where
            S: Schema,
        {
            let json = json.as_ref();
            match self.push(|batch| batch.push_json(json)) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => self.bad_row(error, json),
                Err(Closed) => Err(RowError::closed()),
            }
        }

        /// Pushes many rows at once: JSON objects, one a line, each by the rules of [`next_json`](Self::next_json). Blank
        /// lines are passed over, lines may end with `\r\n`, and the last one needs no end. The lock is
        /// taken once for many of them. The lines become no unit by that: a commit may come between two of them.
        ///
        /// Gives how many rows were pushed: all lines, but for blank ones and bad ones that the policy lets pass.
        ///
        /// # Errors
        ///
        /// A [`LinesError`](crate::LinesError) that names the bad lines by their numbers, if the policy for bad rows is
        /// to fail: the good ones around them were pushed. If the subject is closed, an error that says from which line
        /// on nothing was pushed.
        pub fn next_json_lines(&self, lines: impl AsRef<[u8]>) -> Result<usize, crate::LinesError>
        where
            S: Schema,
        {
            let mut lines = crate::source::lines::Lines::new(lines.as_ref());
            let mut report = crate::source::lines::Report::default();
            loop {
                let pushed = self.push_all(|batch| {
                    let pushed = batch.push_json(lines.advance()?);
                    if pushed.is_ok() {
                        report.pushed();
                    }
                    Some(pushed)
                });
                let refused = match pushed {
                    Ok(Ok(())) => return report.result(),
                    Ok(Err(error)) => self.bad_row(error, lines.line()),
                    Err(Closed) if lines.advance().is_none() => return report.result(),
                    Err(Closed) => Err(RowError::closed()),
                };
                if let Err(error) = refused
                    && !report.refused(lines.number(), error)
                {
                    return report.result();
                }
            }
        }

        /// Pushes a row from a JSON value that was parsed already, by the rules of [`next_json`](Self::next_json).
        ///
        /// # Errors
        ///
        /// As [`next_json`](Self::next_json), without a position.
        pub fn next_value(&self, value: serde_json::Value) -> Result<(), RowError>
        where
            S: Schema,
        {
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
            S: crate::rows::bounds::DataColumn<String>,
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
            S: crate::rows::bounds::DataColumn<Vec<u8>>,
        {
            self.next(S::from_data(data.as_ref().to_vec()))
        }

        /// Retracts the row with that primary key: a tuple, in column order, if the key has several columns. A key
        /// that no row has is no error and makes no output.
        ///
        /// # Errors
        ///
        /// [`Closed`] if the subject is closed.
        #[doc(alias("delete"))]
        pub fn remove(&self, key: <S as crate::rows::schema::Keyed>::Key) -> Result<(), Closed>
        where
            S: crate::rows::schema::Keyed + crate::rows::bounds::Removable,
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
        pub fn reject(&self, raw: impl AsRef<[u8]>, reason: impl std::fmt::Display) -> Result<(), RowError>
        where
            S: Schema,
        {
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
