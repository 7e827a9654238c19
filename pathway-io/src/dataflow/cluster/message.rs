//! What the processes of a cluster tell each other: [`Word`].

use std::io::{self, ErrorKind, Read, Write};

use crate::run::summary::Stop;

/// What one process tells another.
pub(super) enum Word {
    /// It has made a commit at that time.
    Time(u64),
    Stop(Stop),
    /// It has failed, and drains what is on its way.
    Failing(String),
    /// Its dataflow has failed, and is left as it is.
    Failed(String),
    /// It has done all that it had to do.
    Bye,
    /// It is there.
    Alive,
}

impl Word {
    pub(super) fn write(&self, line: &mut impl Write) -> io::Result<()> {
        let (tag, text) = match self {
            Word::Time(time) => (b't', time.to_string()),
            Word::Stop(Stop::Signal(signal)) => (b's', signal.to_string()),
            Word::Stop(Stop::Handle | Stop::Failure) => (b's', String::new()),
            Word::Failing(text) => (b'e', text.clone()),
            Word::Failed(text) => (b'f', text.clone()),
            Word::Bye => (b'b', String::new()),
            Word::Alive => (b'a', String::new()),
        };
        let mut bytes = vec![tag];
        bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
        line.write_all(&bytes)
    }

    pub(super) fn read(line: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; 5];
        line.read_exact(&mut head)?;
        let [tag, length @ ..] = head;
        let mut text = Vec::new();
        line.take(u32::from_be_bytes(length).into()).read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(match tag {
            b's' => Word::Stop(text.parse().map_or(Stop::Handle, Stop::Signal)),
            b't' => Word::Time(text.parse().map_err(|_| ErrorKind::InvalidData)?),
            b'e' => Word::Failing(text),
            b'f' => Word::Failed(text),
            b'b' => Word::Bye,
            b'a' => Word::Alive,
            _ => return Err(ErrorKind::InvalidData.into()),
        })
    }
}
