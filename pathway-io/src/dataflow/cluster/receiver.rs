//! The thread that receives the messages of one other process: [`Receiver`].

use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use super::ShutdownBarrier;
use super::message::PeerMessage;
use crate::dataflow::flow::Flow;
use crate::run::control::Control;
use crate::run::error::Error;
use crate::sequencer::SequencerMessage;
use crate::sequencer::inbox::Inbox;

/// Receives from one other process, until it closes the connection.
pub(super) struct Receiver {
    pub(super) stream: TcpStream,
    pub(super) peer: String,
    /// The longest time without a message.
    pub(super) peer_timeout: Duration,
    pub(super) flow: Arc<Flow>,
    pub(super) control: Arc<Control>,
    pub(super) barrier: Arc<ShutdownBarrier>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) abandon: Arc<dyn Fn() + Send + Sync>,
}

impl Receiver {
    pub(super) fn run(mut self) {
        if let Some(fault) = self.receive() {
            // The sender to it must not wait in the middle of a message.
            let _ = self.stream.shutdown(Shutdown::Both);
            self.flow.fail(&self.control, fault);
            (self.abandon)();
        }
        self.mark_done();
    }

    fn mark_done(&self) {
        self.barrier.mark_done(&self.control, &self.peer);
    }

    /// Receives messages until the end. Returns the error that must end the dataflow of this process, if there is one.
    fn receive(&mut self) -> Option<Error> {
        let mut done = false;
        loop {
            match PeerMessage::read(&mut self.stream) {
                Ok(PeerMessage::Heartbeat) => {}
                Ok(PeerMessage::Time(time)) => {
                    // Without a sequencer, no clock has to keep up.
                    let _ = self.inbox.send(SequencerMessage::PeerTime(time));
                }
                Ok(PeerMessage::Stop(stop)) => self.control.stop(stop),
                Ok(PeerMessage::Failing(text)) => {
                    self.barrier.update(&self.control, |state| state.peer_has_failed = true);
                    self.control.fail(self.failed(&text));
                }
                Ok(PeerMessage::Failed(text)) => return Some(self.failed(&text)),
                Ok(PeerMessage::Done) => {
                    done = true;
                    // From now on the peer may be silent. If the timeout cannot be removed, it is ignored below.
                    let _ = self.stream.set_read_timeout(None);
                    self.mark_done();
                }
                Err(_) if done => return None,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    let silent = format!("{} is gone: it was silent for {:?}", self.peer, self.peer_timeout);
                    return Some(Error::pipeline(silent));
                }
                Err(_) => return Some(Error::pipeline(format!("{} is gone", self.peer))),
            }
        }
    }

    fn failed(&self, text: &str) -> Error {
        Error::pipeline(format!("{} failed: {text}", self.peer))
    }
}
