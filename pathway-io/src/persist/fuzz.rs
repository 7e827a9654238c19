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

use super::frame::{self, FrameKind};
use super::record::{self, TableShape};
use super::{recover, table_id};
use crate::pipeline::any_table::AnyTable;
use crate::pipeline::testing::kit::directory::Directory;
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
    let header = record::header(&tables()).to_string();
    let log = log(data, &header);
    let whole = read(&log);
    let cut = data.last().map_or(0, |at| log.len() * usize::from(*at) / 256);
    let part = read(&log[..cut]);
    if let (Ok(whole), Ok(part)) = (whole, part) {
        assert!(part <= whole, "a part of the log reaches further than all of it");
    }
}

fn tables() -> Vec<TableShape> {
    let source: Arc<str> = "zoo".into();
    let tables: [Arc<dyn AnyTable>; 2] =
        [Arc::new(Table::<Cat>::new(Arc::clone(&source))), Arc::new(Table::<Line>::new(Arc::clone(&source)))];
    let shape = |(number, table)| TableShape {
        id: table_id(&source, number),
        source: Some(Arc::clone(&source)),
        number,
        table,
        kept: false,
        outputs: Vec::new(),
        transactional: 0,
    };
    tables.into_iter().enumerate().map(shape).collect()
}

fn log(data: &[u8], header: &str) -> Vec<u8> {
    let mut log = Vec::new();
    for piece in data.split(|byte| *byte == 0x1e) {
        let Some((kind, payload)) = piece.split_first() else { continue };
        let (kind, payload) = match kind {
            b'h' => (FrameKind::Header, header.as_bytes()),
            byte => match FrameKind::of_byte(*byte) {
                Some(kind) => (kind, payload),
                None => {
                    log.extend_from_slice(piece);
                    continue;
                }
            },
        };
        assert!(frame::append(&mut log, kind, |out| out.extend_from_slice(payload)).is_some());
    }
    log
}

/// Returns the end of the checkpoint from which the log is continued.
fn read(log: &[u8]) -> Result<u64, String> {
    DIRECTORY.with(|directory| {
        let path = directory.0.join("log");
        fs::write(&path, log).expect("the directory for temporary files can be written to");
        let tables = tables();
        let (found, _) = recover::read(&path, 1, &record::header(&tables)).map_err(|error| error.to_string())?;
        found.restore(&tables).map_err(|error| error.to_string())?;
        Ok(found.end)
    })
}
