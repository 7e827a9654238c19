//! The form of rows in the log: one line for each, with `+` or `-`, the count if it is not 1, and the row as JSON.
//! Outputs and sources use the same writers and decoder.

use std::sync::Arc;

use crate::rows::batch::{Batch, Batches, Pool};
use crate::rows::commit::Commit;
use crate::rows::row_writer::RowWriter;
use crate::rows::schema::{ColumnsOf, Schema};

impl RowWriter {
    /// Writes the updates of a commit. Unless `whole`, it omits the retraction of a row that the next update replaces.
    pub(crate) fn write_commit<S: Schema>(&self, commit: &Commit<S>, whole: bool, out: &mut Vec<u8>) {
        for batch in commit.batches() {
            for row in 0..batch.len() {
                let diff = batch.diff(row);
                if whole || diff > 0 || !batch.is_replaced(row) {
                    self.write(&batch.columns, row, diff, out);
                }
            }
        }
    }
}

/// Reads rows back, each with its diff.
///
/// # Errors
///
/// Returns the line and the fault in it.
pub(crate) fn read<S: Schema>(rows: &[u8], pool: &Arc<Pool<S>>) -> Result<Vec<Batch<S>>, String> {
    let mut batches = Batches::new(Arc::clone(pool));
    // JSON that the library writes has no line breaks.
    for line in rows.split_inclusive(|byte| *byte == b'\n') {
        let (sign, rest) = line.split_first().ok_or("an empty line")?;
        let (times, row) = rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
        let times = match times {
            [] => 1,
            digits => {
                String::from_utf8_lossy(digits).parse().map_err(|_| "a row with too large a number".to_owned())?
            }
        };
        let diff: i64 = match sign {
            b'+' => times,
            b'-' => -times,
            _ => return Err("a row without its sign".to_owned()),
        };
        batches.current().restore_json(row, diff).map_err(|error| error.to_string())?;
    }
    Ok(batches.finish())
}

/// The size of a piece of rows, which becomes one frame of a snapshot.
pub(crate) const PIECE: usize = 256 * 1024;

/// Collects rows into pieces.
pub(crate) struct Pieces<'a, F> {
    writer: &'a RowWriter,
    piece: Vec<u8>,
    give: F,
}

impl<'a, F: FnMut(Vec<u8>)> Pieces<'a, F> {
    pub(crate) fn new(writer: &'a RowWriter, give: F) -> Self {
        Pieces { writer, piece: Vec::new(), give }
    }

    pub(crate) fn row<S: Schema>(&mut self, columns: &ColumnsOf<S>, row: usize, times: i64) {
        self.writer.write(columns, row, times, &mut self.piece);
        if self.piece.len() >= PIECE {
            (self.give)(std::mem::take(&mut self.piece));
        }
    }

    pub(crate) fn finish(mut self) {
        if !self.piece.is_empty() {
            (self.give)(self.piece);
        }
    }
}
