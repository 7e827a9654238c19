//! The push methods that [`Subject`](crate::Subject), [`Transaction`](crate::Transaction) and a table in a transaction
//! have in common.

/// Expects these methods on `Self`, or on the value to which the argument leads from `self`, such as `.table()`:
/// `push_row(&self, fill) -> Result<Result<(), E>, Closed>`, `push_rows(&self, rows)` with the same result,
/// `bad_row(&self, RowError, &[u8]) -> Result<(), RowError>`, and
/// `refused_row(&self, RefusedRow<S>) -> Result<(), Closed>`. The bounds are on the methods, because with a bound on
/// the impl rustc would not report that the row type is not a schema.
macro_rules! push_methods {
    ($($target:tt)*) => {
        /// Pushes one row.
        ///
        /// Outside a transaction, it waits while the backlog is full.
        ///
        /// ```
        /// # use pathway_io::{Schema, Subject};
        /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
        /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
        /// cats.next(Cat { key: 1, genus: "felis".into() })?;
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns [`Closed`] if the subject is closed. Return from `run` in this case.
        ///
        /// The policy for bad rows also applies to a row that a sink of the table [can never
        /// accept](crate::Sink::row_check). If the policy is to fail, the pipeline fails, because [`Closed`] cannot
        /// describe the row.
        ///
        /// # Panics
        ///
        /// Panics if a column cannot hold its value:
        ///
        /// - The JSON in a `Value` or a `#[schema(json)]` column is nested more than 100 levels deep.
        /// - A `#[schema(json)]` type fails to serialize, or cannot read its own output (a NaN becomes `null`).
        /// - A `PathBuf` is not UTF-8.
        ///
        /// Nothing is pushed then. In `run`, a panic ends the pipeline with an error that names the connector, the
        /// column and the reason; the rows before it are committed.
        #[inline]
        #[doc(alias("push", "send", "emit"))]
        pub fn next(&self, row: S) -> Result<(), Closed>
        where
            S: Schema,
        {
            let fields = row.into_fields();
            self$($target)*.push_row(|batch| batch.push(fields))?.or_else(|refused| self$($target)*.refused_row(*refused))
        }

        /// Decodes one JSON object by the schema and pushes it.
        ///
        /// Defaults fill in missing columns. Fields without a column are ignored, unless the schema has `deny_unknown`.
        /// White space around the object is allowed, and a byte order mark in front of it. A blank text is a bad row:
        /// [`next_json_lines`](Self::next_json_lines) skips blank lines.
        ///
        /// ```
        /// # use pathway_io::{Schema, Subject};
        /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
        /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
        /// cats.next_json(r#"{"key": 1, "genus": "felis"}"#)?;
        /// if let Err(error) = cats.next_json(r#"{"key": "one"}"#) {
        ///     eprintln!("{error}"); // row 2, column `key`, byte 8: expected an `i64`, found the string "one"
        /// }
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns a [`RowError`] that names the column, the position and the reason, if the policy for bad rows is to
        /// fail. Nothing is pushed then. On a closed subject, returns an error whose [`is_closed`](RowError::is_closed)
        /// is true.
        #[inline]
        pub fn next_json(&self, json: impl AsRef<[u8]>) -> Result<(), RowError>
        where
            S: Schema,
        {
            let json = json.as_ref();
            match self$($target)*.push_row(|batch| batch.push_json(json)) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => self$($target)*.bad_row(error, json),
                Err(Closed) => Err(RowError::closed()),
            }
        }

        /// Pushes many rows in one call: one JSON object per line, each by the rules of [`next_json`](Self::next_json).
        ///
        /// Returns the number of rows pushed. Blank lines are skipped, lines may end in `\r\n`, and the last line needs
        /// no line end. The lines are not one unit: a commit can fall between two of them. One call is faster than a
        /// call for each line, because it takes the lock once for many lines.
        ///
        /// ```
        /// # use pathway_io::{Schema, Subject};
        /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
        /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
        /// let pushed = cats.next_json_lines("{\"key\": 1, \"genus\": \"felis\"}\n{\"key\": 2, \"genus\": \"lynx\"}\n")?;
        /// assert_eq!(pushed, 2);
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns a [`LinesError`](crate::LinesError) that names the bad lines by their numbers, if the policy for bad
        /// rows is to fail. The good lines around them were pushed. On a closed subject, the error names the first line
        /// that was not pushed.
        pub fn next_json_lines(&self, lines: impl AsRef<[u8]>) -> Result<usize, crate::source::lines::LinesError>
        where
            S: Schema,
        {
            let mut lines = crate::source::lines::Lines::new(lines.as_ref());
            let mut report = crate::source::lines::LinesReport::default();
            loop {
                let pushed = self$($target)*.push_rows(|batch| {
                    let pushed = batch.push_json(lines.advance()?);
                    if pushed.is_ok() {
                        report.pushed();
                    }
                    Some(pushed)
                });
                let refused = match pushed {
                    Ok(Ok(())) => return report.result(),
                    Ok(Err(error)) => self$($target)*.bad_row(error, lines.line()),
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

        /// Pushes a row from a JSON value that is already parsed, by the rules of [`next_json`](Self::next_json).
        ///
        /// A `Value` holds every decimal as an `f64`, so the value of an `f32` column may have been rounded twice.
        ///
        /// ```
        /// # use pathway_io::{Schema, Subject};
        /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
        /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
        /// cats.next_value(serde_json::json!({"key": 1, "genus": "felis"}))?;
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns the errors of [`next_json`](Self::next_json), without a position.
        pub fn next_value(&self, value: serde_json::Value) -> Result<(), RowError>
        where
            S: Schema,
        {
            // The value is borrowed, because a bad row is also needed for the error.
            let pushed = self$($target)*.push_row(|batch| batch.push_value(&value)).map_err(|Closed| RowError::closed())?;
            pushed.or_else(|error| self$($target)*.bad_row(error, value.to_string().as_bytes()))
        }

        /// Pushes a row with this text in its column `data: String`. The other columns receive their defaults.
        ///
        /// ```
        /// # use pathway_io::{Subject, TextRow};
        /// # fn run(lines: Subject<TextRow>) -> pathway_io::RunResult {
        /// lines.next_str("one line of a log")?;
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns [`Closed`] if the subject is closed.
        pub fn next_str(&self, data: impl AsRef<str>) -> Result<(), Closed>
        where
            S: crate::rows::bounds::DataColumn<String>,
        {
            self.next(S::from_data(data.as_ref().to_owned()))
        }

        /// Pushes a row with these bytes in its column `data: Vec<u8>`. The other columns receive their defaults.
        ///
        /// ```
        /// # use pathway_io::{BytesRow, Subject};
        /// # fn run(frames: Subject<BytesRow>) -> pathway_io::RunResult {
        /// frames.next_bytes([0xca, 0xfe])?;
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns [`Closed`] if the subject is closed.
        pub fn next_bytes(&self, data: impl AsRef<[u8]>) -> Result<(), Closed>
        where
            S: crate::rows::bounds::DataColumn<Vec<u8>>,
        {
            self.next(S::from_data(data.as_ref().to_vec()))
        }

        /// Retracts the row with this primary key.
        ///
        /// A key of several columns is a tuple, in column order. A key that no row has is not an error and produces no
        /// output.
        ///
        /// ```
        /// # use pathway_io::{Schema, Subject};
        /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
        /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
        /// cats.next(Cat { key: 1, genus: "felis".into() })?;
        /// cats.remove(1)?;
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns [`Closed`] if the subject is closed.
        #[doc(alias("delete"))]
        pub fn remove(&self, key: <S as crate::rows::schema::Keyed>::Key) -> Result<(), Closed>
        where
            S: crate::rows::schema::Keyed + crate::rows::bounds::Removable,
        {
            let Ok(()) = self$($target)*.push_row(|batch| batch.push_removal(key))?;
            Ok(())
        }

        /// Reports a bad row that the source itself has found, such as a torn frame. The policy for bad rows handles
        /// it.
        ///
        /// ```
        /// # use pathway_io::{Schema, Subject};
        /// # #[derive(Schema)] struct Cat { #[schema(primary_key)] key: i64, genus: String }
        /// # fn run(cats: Subject<Cat>) -> pathway_io::RunResult {
        /// let frame = b"\x00\xff";
        /// cats.reject(frame, "the checksum is wrong")?;
        /// # Ok(()) }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns the row's error with that `reason`, if the policy is to fail. On a closed subject, returns an error
        /// whose [`is_closed`](RowError::is_closed) is true: such a row does not count as bad.
        pub fn reject(&self, raw: impl AsRef<[u8]>, reason: impl std::fmt::Display) -> Result<(), RowError>
        where
            S: Schema,
        {
            let error = RowError::new(reason.to_string());
            let pushed = self$($target)*.push_row(|_| Err::<(), _>(error)).map_err(|Closed| RowError::closed())?;
            pushed.or_else(|error| self$($target)*.bad_row(error, raw.as_ref()))
        }
    };
}
pub(crate) use push_methods;
