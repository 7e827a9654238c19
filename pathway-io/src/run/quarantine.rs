//! The policy for bad rows ([`BadRows`]), and the quarantine file.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::run::files::{LockedFile, Watch, private, standard_stream};

/// The policy for rows that do not fit the schema, or that a sink refuses permanently.
///
/// [`ReadOptions::bad_rows`](crate::ReadOptions::bad_rows) sets it for a source, and
/// [`SinkOptions::refused_rows`](crate::SinkOptions::refused_rows) for a sink. That method says how the policies differ
/// there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadRows {
    /// The push returns the error, and the source decides what to do. This is the default.
    #[default]
    Fail,
    /// The row is counted and skipped. The push returns `Ok`.
    Skip,
    /// The row is counted and written to this file. The push returns `Ok`.
    ///
    /// Each line of the file is a JSON object with `source`, `offset`, `reason` and `raw`, or `raw_base64` if the row
    /// is not UTF-8. The pipeline creates or truncates the file at its start. A persistent pipeline continues it, and
    /// writes each row with the commit around it. If a partitioned source runs in several processes, each writes its
    /// own file: `bad.0.jsonl` for `bad.jsonl`. A bad row that the source reads again, after a failed attempt of a
    /// pipeline that is not persistent or at each start with `full_snapshot`, is written to the file again.
    Quarantine(PathBuf),
}

/// The file of a quarantine, which grows with each row.
pub(crate) struct QuarantineFile {
    file: LockedFile,
    watch: Watch,
    /// The number of bytes written.
    len: u64,
}

impl QuarantineFile {
    /// Opens or creates the file. If `keep`, its contents stay.
    pub(crate) fn open(path: &Path, keep: bool) -> std::io::Result<Self> {
        if let Some(stream) = standard_stream(path)? {
            return Ok(QuarantineFile {
                watch: Watch::new(path, &stream.metadata()?),
                file: LockedFile(stream),
                len: 0,
            });
        }
        refuse_named_pipe(path)?;
        let mut options = OpenOptions::new();
        private(&mut options).write(true).append(cfg!(unix)).create(true);
        let (mut file, opened) = LockedFile::open(&options, path)?;
        let mut len = 0;
        if opened.is_file() {
            if keep {
                len = file.0.seek(SeekFrom::End(0))?;
                if len > 0 && !ends_a_line(path, len)? {
                    // An earlier write was cut short by a full disk or a kill. The next record must begin on a new
                    // line.
                    file.0.write_all(b"\n")?;
                    len += 1;
                }
            } else {
                file.0.set_len(0)?;
            }
        }
        Ok(QuarantineFile { watch: Watch::new(path, &opened), file, len })
    }

    pub(crate) fn append(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.check()?;
        self.file.0.write_all(line)?;
        self.len += line.len() as u64;
        Ok(())
    }

    /// Checks that the file is still there, with all that was written to it.
    pub(crate) fn check(&self) -> std::io::Result<()> {
        self.watch.check(self.len, false)
    }
}

/// Refuses a named pipe, because opening it would wait until another program reads it, and no stop could end the wait.
///
/// A path such as `/dev/fd/3` can lead to a pipe that is open already. Such a pipe has no name.
pub(crate) fn refuse_named_pipe(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let found = path.canonicalize().and_then(std::fs::metadata);
        if found.is_ok_and(|found| std::os::unix::fs::FileTypeExt::is_fifo(&found.file_type())) {
            return Err(std::io::Error::other(
                "it is a named pipe, which would wait for a reader\nhelp: choose a file",
            ));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Returns whether the last byte of a file is a line feed.
fn ends_a_line(path: &Path, len: u64) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(len - 1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
