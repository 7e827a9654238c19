//! The messages between the processes of a cluster: [`PeerMessage`].

use std::io::{self, ErrorKind, Read, Write};

use crate::run::summary::Stop;

/// A message from one process to another.
pub(super) enum PeerMessage {
    /// The process has made a commit at this time.
    Time(u64),
    Stop(Stop),
    /// The process has failed, and still delivers its pending rows.
    Failing(String),
    /// The dataflow of the process has failed, and its pending rows are lost.
    Failed(String),
    /// The process has done all its work.
    Done,
    /// The process is alive.
    Heartbeat,
}

impl PeerMessage {
    pub(super) fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        let (tag, text) = match self {
            PeerMessage::Time(time) => (b't', time.to_string()),
            PeerMessage::Stop(Stop::Signal(signal)) => (b's', signal.to_string()),
            PeerMessage::Stop(Stop::Handle | Stop::Failure) => (b's', String::new()),
            PeerMessage::Failing(text) => (b'e', text.clone()),
            PeerMessage::Failed(text) => (b'f', text.clone()),
            PeerMessage::Done => (b'b', String::new()),
            PeerMessage::Heartbeat => (b'a', String::new()),
        };
        let mut bytes = vec![tag];
        bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
        stream.write_all(&bytes)
    }

    pub(super) fn read(stream: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        let [tag, length @ ..] = head;
        let mut text = Vec::new();
        stream.take(u32::from_be_bytes(length).into()).read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(match tag {
            b's' => PeerMessage::Stop(text.parse().map_or(Stop::Handle, Stop::Signal)),
            b't' => PeerMessage::Time(text.parse().map_err(|_| ErrorKind::InvalidData)?),
            b'e' => PeerMessage::Failing(text),
            b'f' => PeerMessage::Failed(text),
            b'b' => PeerMessage::Done,
            b'a' => PeerMessage::Heartbeat,
            _ => return Err(ErrorKind::InvalidData.into()),
        })
    }
}
