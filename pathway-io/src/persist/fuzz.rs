//! Target `checkpoint`: any log is either continued or refused with an error. Nothing panics, and a log that was cut
//! off never yields more than the whole log.
//!
//! An input is a list of pieces, one for each frame. The first byte of a piece is the frame's kind, and the rest is
//! its payload. The target adds the right length and checksum, which a fuzzer would not find. `h` means the header
//! that fits. A piece with any other first byte is appended to the log unchanged. The last byte of the input says
//! where the log is cut off.

use std::fs;
use std::sync::Arc;

use pathway_derive::Schema;

use super::frame::{self, Kind};
use super::record::{self, Shapes, SourceShape, TableShape};
use super::recover;
use crate::pipeline::any_table::AnyTable;
use crate::pipeline::testing::directory::Directory;
use crate::rows::schema::Schema;
use crate::rows::table::Table;

#[derive(Schema)]
#[schema(crate = crate)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: Option<String>,
}

#[derive(Schema)]
#[schema(crate = crate)]
struct Line {
    text: String,
    weight: f64,
}

thread_local! {
    /// A directory for this thread alone, so that tests and fuzzers can run at the same time.
    static DIRECTORY: Directory = Directory::new().expect("the directory for temporary files can be written to");
}

pub(crate) fn checkpoint(data: &[u8]) {
    let table = |table| TableShape { table, kept: false, files: Vec::new(), databases: Vec::new() };
    let tables = vec![table(<Cat as Schema>::SCHEMA), table(<Line as Schema>::SCHEMA)];
    let shapes = Shapes { sources: vec![SourceShape { name: "zoo".to_owned(), tables }], derived: Vec::new() };
    let log = log(data, &shapes);
    let whole = read(&log, &shapes);
    let cut = data.last().map_or(0, |at| log.len() * usize::from(*at) / 256);
    let part = read(&log[..cut], &shapes);
    if let (Ok(whole), Ok(part)) = (whole, part) {
        assert!(part <= whole, "a part of the log reaches further than all of it");
    }
}

fn log(data: &[u8], shapes: &Shapes) -> Vec<u8> {
    let mut log = Vec::new();
    for piece in data.split(|byte| *byte == 0x1e) {
        let Some((kind, payload)) = piece.split_first() else { continue };
        let header = record::header(shapes).to_string();
        let (kind, payload) = match kind {
            b'h' => (Kind::Header, header.as_bytes()),
            byte => match Kind::of_byte(*byte) {
                Some(kind) => (kind, payload),
                None => {
                    log.extend_from_slice(piece);
                    continue;
                }
            },
        };
        assert!(frame::append(&mut log, kind, |out| out.extend_from_slice(payload)).is_ok());
    }
    log
}

/// Returns the end of the checkpoint from which the log is continued.
fn read(log: &[u8], shapes: &Shapes) -> Result<u64, String> {
    DIRECTORY.with(|directory| {
        let path = directory.0.join("log");
        fs::write(&path, log).expect("the directory for temporary files can be written to");
        let found = recover::read(&path, 1, shapes).map_err(|error| error.to_string())?;
        let source: Arc<str> = "zoo".into();
        let tables: Vec<Arc<dyn AnyTable>> =
            vec![Arc::new(Table::<Cat>::new(Arc::clone(&source))), Arc::new(Table::<Line>::new(source))];
        found.restore(shapes, &[tables], &[]).map_err(|error| error.to_string())?;
        Ok(found.end)
    })
}
