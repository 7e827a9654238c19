//! Frames: the pieces of a log. The reader ignores an incomplete frame.
//!
//! ```text
//! marker "pwf1", length u32, checksum u32, kind u8, payload
//! ```
//!
//! Numbers are little endian. The length counts the payload, and the checksum is a CRC-32 over kind and payload.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::sink::file::storage::FileError;

const MARKER: [u8; 4] = *b"pwf1";
/// Marker, length, checksum and kind.
const HEAD: usize = 13;

/// The kind of a frame's contents; see `docs/durability.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum FrameKind {
    /// The shape of the pipeline; the first frame.
    Header = b'H',
    /// A part of the rows of a table when the log was begun.
    Snapshot = b'S',
    /// The updates of one commit.
    Rows = b'R',
    /// Rows of a commit that is also in the snapshot, for a sink that may lack it.
    Held = b'O',
    /// A checkpoint, which makes all frames before it valid.
    Checkpoint = b'C',
}

impl FrameKind {
    pub(super) fn of_byte(byte: u8) -> Option<Self> {
        let all = [FrameKind::Header, FrameKind::Snapshot, FrameKind::Rows, FrameKind::Held, FrameKind::Checkpoint];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// Appends a frame whose payload `fill` appends. Returns `None` if the payload has four gigabytes or more.
pub(crate) fn append(out: &mut Vec<u8>, kind: FrameKind, fill: impl FnOnce(&mut Vec<u8>)) -> Option<()> {
    let start = out.len();
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&[0; 8]);
    out.push(kind as u8);
    fill(out);
    let Ok(len) = u32::try_from(out.len() - start - HEAD) else {
        out.truncate(start);
        return None;
    };
    let checksum = crc32fast::hash(&out[start + HEAD - 1..]);
    out[start + 4..start + 8].copy_from_slice(&len.to_le_bytes());
    out[start + 8..start + 12].copy_from_slice(&checksum.to_le_bytes());
    Some(())
}

pub(crate) struct Frame {
    pub(crate) kind: FrameKind,
    pub(crate) payload: Vec<u8>,
    /// The positions in the file at which the frame begins and ends.
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// Reads the frames of a file one after the other.
pub(crate) struct FrameReader {
    path: PathBuf,
    file: BufReader<File>,
    len: u64,
    at: u64,
}

impl FrameReader {
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let open = || {
            let file = File::open(path)?;
            let len = file.metadata()?.len();
            Ok((file, len))
        };
        let (file, len) = open().map_err(|error| FileError::new("open", path, error))?;
        Ok(FrameReader { path: path.to_owned(), file: BufReader::with_capacity(128 * 1024, file), len, at: 0 })
    }

    /// Returns the next frame, or `None` if no complete frame follows.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FileError> {
        let frame = self.read().map_err(|error| FileError::new("read", &self.path, error))?;
        if let Some(frame) = &frame {
            self.at = frame.end;
        }
        Ok(frame)
    }

    /// Returns the position at which the last complete frame ends.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    fn read(&mut self) -> io::Result<Option<Frame>> {
        let left = self.len - self.at;
        if left < HEAD as u64 {
            return Ok(None);
        }
        let mut head = [0; HEAD];
        self.file.read_exact(&mut head)?;
        let [number, checksum] =
            [4, 8].map(|at| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
        let len = u64::from(number);
        if head[..4] != MARKER || left - (HEAD as u64) < len {
            return Ok(None);
        }
        let mut payload = vec![0; number as usize];
        self.file.read_exact(&mut payload)?;
        let mut hash = crc32fast::Hasher::new();
        hash.update(&head[HEAD - 1..]);
        hash.update(&payload);
        let kind = FrameKind::of_byte(head[HEAD - 1]);
        Ok(match kind {
            Some(kind) if hash.finalize() == checksum => {
                Some(Frame { kind, payload, start: self.at, end: self.at + HEAD as u64 + len })
            }
            _ => None,
        })
    }

    /// Returns the complete checkpoints after the first incomplete frame.
    ///
    /// A power cut may leave unsynced bytes in any state, so a checkpoint can be on disk without its rows. A checkpoint
    /// starts only after the previous one is durable, however. Two checkpoints after an incomplete frame therefore
    /// prove that the frame was durable and the file is damaged. A single checkpoint names its predecessor, which
    /// decides the question.
    pub(crate) fn checkpoints_after(&mut self) -> Result<Vec<Frame>, FileError> {
        let path = self.path.clone();
        let mut from = self.at + 1;
        let mut found = Vec::new();
        let mut search = || -> io::Result<()> {
            while let Some(marker) = find_marker(&mut self.file, from)? {
                self.file.seek(SeekFrom::Start(marker))?;
                self.at = marker;
                from = marker + 1;
                if let Some(frame) = self.read()? {
                    from = frame.end;
                    if frame.kind == FrameKind::Checkpoint && found.len() < 2 {
                        found.push(frame);
                    }
                }
            }
            Ok(())
        };
        search().map_err(|error| FileError::new("read", &path, error))?;
        Ok(found)
    }
}

/// Returns the position of the first marker at or after `from`.
fn find_marker(file: &mut BufReader<File>, from: u64) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(from))?;
    let mut window = Vec::new();
    let mut start = from;
    loop {
        let read = file.by_ref().take(64 * 1024).read_to_end(&mut window)?;
        if let Some(place) = memchr::memmem::find(&window, &MARKER) {
            return Ok(Some(start + place as u64));
        }
        if read == 0 {
            return Ok(None);
        }
        // A marker may begin in one window and end in the next.
        let gone = window.len().saturating_sub(MARKER.len() - 1);
        window.drain(..gone);
        start += gone as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    fn frames() -> Vec<u8> {
        let mut bytes = Vec::new();
        append(&mut bytes, FrameKind::Header, |out| out.extend_from_slice(b"head")).unwrap();
        append(&mut bytes, FrameKind::Rows, |out| out.extend_from_slice(&[7; 1000])).unwrap();
        append(&mut bytes, FrameKind::Checkpoint, |_| {}).unwrap();
        append(&mut bytes, FrameKind::Checkpoint, |_| {}).unwrap();
        bytes
    }

    fn read(bytes: &[u8]) -> (Vec<FrameKind>, u64, usize) {
        let file = write(bytes);
        let mut reader = FrameReader::open(file.path()).unwrap();
        let mut kinds = Vec::new();
        while let Some(frame) = reader.next().unwrap() {
            kinds.push(frame.kind);
        }
        (kinds, reader.at(), reader.checkpoints_after().unwrap().len())
    }

    #[test]
    fn appended_frames_are_read() {
        let bytes = frames();
        let kinds = vec![FrameKind::Header, FrameKind::Rows, FrameKind::Checkpoint, FrameKind::Checkpoint];
        assert_eq!(read(&bytes), (kinds, bytes.len() as u64, 0));
    }

    #[test]
    fn a_file_that_is_cut_off_anywhere_has_its_whole_frames() {
        let bytes = frames();
        let mut ends = Vec::new();
        for len in 0..=bytes.len() {
            let (kinds, at, after) = read(&bytes[..len]);
            assert_eq!(after, 0, "cut to {len}");
            assert!(at <= len as u64);
            if ends.last() != Some(&at) {
                ends.push(at);
            }
            assert_eq!(kinds.len() + 1, ends.len());
        }
        assert_eq!(ends.len(), 5);
    }

    #[test]
    fn a_wrong_bit_anywhere_is_noticed_and_later_checkpoints_are_found() {
        let bytes = frames();
        let (last, one_before) = (bytes.len() - HEAD, bytes.len() - 2 * HEAD);
        for place in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[place] ^= 1 << (place % 8);
            let (kinds, _, after) = read(&wrong);
            assert!(kinds.len() < 4, "bit of byte {place}");
            let expected = if place < one_before { 2 } else { usize::from(place < last) };
            assert_eq!(after, expected, "byte {place}");
        }
    }

    #[test]
    fn a_marker_across_two_search_blocks_is_found() {
        for padding in [64 * 1024 - 6, 64 * 1024 - 5, 64 * 1024 - 4, 64 * 1024 - 2, 64 * 1024] {
            let mut bytes = vec![b'p'; padding];
            bytes.extend_from_slice(&frames());
            assert_eq!(read(&bytes).2, 2, "{padding}");
        }
    }
}
