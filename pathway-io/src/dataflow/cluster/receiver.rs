//! What is heard of one other process: [`Ear`].

use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::message::Word;
use crate::dataflow::flow::Flow;
use crate::run::control::Control;
use crate::run::error::Error;
use crate::sequencer::Message;

/// Listens to one other process, until it closes the connection.
pub(super) struct Ear {
    pub(super) line: TcpStream,
    pub(super) peer: String,
    /// How long it may say nothing.
    pub(super) patience: Duration,
    pub(super) flow: Arc<Flow>,
    pub(super) control: Arc<Control>,
    pub(super) messages: Sender<Message>,
    pub(super) abandon: Arc<dyn Fn() + Send + Sync>,
}

impl Ear {
    pub(super) fn listen(mut self) {
        if let Some(fault) = self.listen_to_the_end() {
            // Who is in the middle of a word to it is not to wait.
            let _ = self.line.shutdown(Shutdown::Both);
            self.flow.fail(&self.control, fault);
            (self.abandon)();
        }
        self.is_heard_out();
    }

    /// It has said its last word.
    fn is_heard_out(&self) {
        self.control.update(|run| run.farewell.awaited.retain(|awaited| *awaited != self.peer));
    }

    /// Gives what ends the dataflow here.
    fn listen_to_the_end(&mut self) -> Option<Error> {
        let mut bye = false;
        loop {
            match Word::read(&mut self.line) {
                Ok(Word::Alive) => {}
                Ok(Word::Time(time)) => {
                    // Without a sequencer nothing has to keep up.
                    let _ = self.messages.send(Message::Heard(time));
                }
                Ok(Word::Stop(stop)) => self.control.stop(stop),
                Ok(Word::Failing(text)) => {
                    self.control.update(|run| run.farewell.heard_failure = true);
                    self.control.fail(self.failed(&text));
                }
                Ok(Word::Failed(text)) => return Some(self.failed(&text)),
                Ok(Word::Bye) => {
                    bye = true;
                    // From now on it may be silent. Where that cannot be said, the silence is of no account below.
                    let _ = self.line.set_read_timeout(None);
                    self.is_heard_out();
                }
                Err(_) if bye => return None,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    let silent = format!("{} is gone: it was silent for {:?}", self.peer, self.patience);
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
