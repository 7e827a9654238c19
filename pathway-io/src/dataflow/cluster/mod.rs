//! Several processes as one: how they find each other, and what they tell each other beside the dataflow.
//!
//! Every two processes have two connections ([`meeting`]). One carries the dataflow's data and is Timely's ([`line`]). The
//! other is ours, for words ([`word`]):
//!
//! - **A stop** asked for in one process is a stop of all.
//! - **A failure** of one, such as that of a sink, stops the others, which fail with its text; what is on its way is still
//!   drained. One that ends the dataflow itself (a worker that panics, a process that is gone) ends theirs at once.
//! - **Bye** is said when all of a process's own work is done, and a process ends only when it has heard it from all
//!   others. So whatever one says before, all have heard it: no process is done for another that is not, and a connection
//!   that closes without a bye is a process that is gone. After a stop the grace bounds the wait.

mod line;
mod meeting;
mod word;

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Sender;

pub(crate) use self::line::DataLine;
use self::word::Word;
use super::flow::Flow;
use super::workers::Workers;
use crate::control::{Control, RunState};
use crate::error::{Error, Result};
use crate::sequencer::Message;
use crate::threads;

/// The other processes.
pub(crate) struct Cluster {
    peers: Vec<Peer>,
}

struct Peer {
    process: usize,
    address: String,
    data: TcpStream,
    control: TcpStream,
    mouth: Mutex<TcpStream>,
}

/// How far this process is with taking leave of the others.
#[derive(Default)]
pub(crate) struct Farewell {
    /// Those from which a last word is to come.
    awaited: Vec<String>,
    /// There is something to say yet.
    telling: bool,
    /// Another process was the first to say that it fails: the others have heard it from there.
    heard_failure: bool,
}

impl Farewell {
    pub(crate) fn is_over(&self) -> bool {
        self.awaited.is_empty() && !self.telling
    }

    /// The failures of those that have not come to an end in time.
    pub(crate) fn left_behind(&self) -> impl Iterator<Item = Error> {
        self.awaited
            .iter()
            .map(|peer| Error::pipeline(format!("{peer} had not ended when the grace after the stop was over")))
    }
}

impl Cluster {
    /// Waits until all processes are there; `None` if a stop came first.
    pub(crate) fn meet(workers: &Workers, program: u64, control: &Control) -> Result<Option<Self>> {
        Ok(meeting::meet(workers, program, control)?.map(|peers| Cluster { peers }))
    }

    /// The connections for the dataflow's data, in the order of the processes; none at this one's place.
    pub(crate) fn data_lines(&self, own: usize) -> io::Result<Vec<Option<TcpStream>>> {
        let mut lines: Vec<Option<TcpStream>> =
            self.peers.iter().map(|peer| peer.data.try_clone().map(Some)).collect::<io::Result<_>>()?;
        lines.insert(own, None);
        Ok(lines)
    }

    /// Listens to the other processes, and tells them what happens in this one.
    pub(crate) fn watch(
        self,
        flow: &Arc<Flow>,
        control: &Arc<Control>,
        messages: &Sender<Message>,
        abandon: &Arc<dyn Fn() + Send + Sync>,
    ) {
        control.update(|run| {
            run.farewell.awaited = self.peers.iter().map(Peer::name).collect();
            run.farewell.telling = true;
        });
        for peer in &self.peers {
            let heard = peer.control.try_clone().and_then(|line| {
                let ear = Ear {
                    line,
                    peer: peer.name(),
                    flow: Arc::clone(flow),
                    control: Arc::clone(control),
                    messages: messages.clone(),
                    abandon: Arc::clone(abandon),
                };
                threads::spawn(&format!("process {}", peer.process), move || ear.listen())
            });
            if let Err(error) = heard {
                control.update(|run| run.farewell.awaited.retain(|awaited| *awaited != peer.name()));
                control.fail(Error::pipeline(error));
            }
        }
        let (flow, watched) = (Arc::clone(flow), Arc::clone(control));
        let cluster = Arc::new(self);
        let announcing = Arc::clone(&cluster);
        flow.announce_by(move |time| announcing.say(&Word::Time(time)));
        let spawned = threads::spawn("cluster", move || {
            cluster.tell(&flow, &watched);
            watched.update(|run| run.farewell.telling = false);
        });
        if let Err(error) = spawned {
            control.update(|run| run.farewell.telling = false);
            control.fail(Error::pipeline(error));
        }
    }

    fn say(&self, word: &Word) {
        for peer in &self.peers {
            // One word at a time. Who is gone is missed by the one who listens.
            let mut line = peer.mouth.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = word.write(&mut *line);
        }
    }

    /// Tells the others when this process stops, fails, or has done its part.
    fn tell(&self, flow: &Flow, control: &Control) {
        let mut said = Said::default();
        loop {
            let mut news = None;
            control.wait(
                |run| {
                    news = said.news(run, flow);
                    news.is_some()
                },
                |_| None,
            );
            let Some(word) = news else { continue };
            self.say(&word);
            match word {
                Word::Stop(_) => said.stop = true,
                Word::Failing(_) => said.failure = true,
                Word::Time(_) => {}
                Word::Bye => return,
                Word::Failed(_) => {
                    for peer in &self.peers {
                        // The others are to notice, if they have not heard.
                        let _ = peer.data.shutdown(Shutdown::Both);
                    }
                    return;
                }
            }
        }
    }
}

impl Peer {
    fn name(&self) -> String {
        format!("process {} at {}", self.process, self.address)
    }
}

/// What the others have been told.
#[derive(Default)]
struct Said {
    stop: bool,
    failure: bool,
}

impl Said {
    /// What is to be said next, if anything.
    fn news(&self, run: &RunState, flow: &Flow) -> Option<Word> {
        let failure = || run.failures.first().map(ToString::to_string);
        if flow.has_failed() {
            return failure().map(Word::Failed);
        }
        if !self.failure
            && !run.farewell.heard_failure
            && let Some(failure) = failure()
        {
            return Some(Word::Failing(failure));
        }
        // Not the stop that comes with a failure, which would be a clean end for the others.
        if !self.stop
            && run.failures.is_empty()
            && let Some((stop, _)) = run.stop
        {
            return Some(Word::Stop(stop));
        }
        run.is_done().then_some(Word::Bye)
    }
}

/// Listens to one other process.
struct Ear {
    line: TcpStream,
    peer: String,
    flow: Arc<Flow>,
    control: Arc<Control>,
    messages: Sender<Message>,
    abandon: Arc<dyn Fn() + Send + Sync>,
}

impl Ear {
    fn listen(mut self) {
        self.listen_to_the_end();
        self.control.update(|run| run.farewell.awaited.retain(|awaited| *awaited != self.peer));
    }

    fn listen_to_the_end(&mut self) {
        let fault = loop {
            match Word::read(&mut self.line) {
                Ok(Word::Bye) => return,
                Ok(Word::Time(time)) => {
                    // Without a sequencer nothing has to keep up.
                    let _ = self.messages.send(Message::Heard(time));
                }
                Ok(Word::Stop(stop)) => self.control.stop(stop),
                Ok(Word::Failing(text)) => {
                    self.control.update(|run| run.farewell.heard_failure = true);
                    self.control.fail(self.failed(&text));
                }
                Ok(Word::Failed(text)) => break self.failed(&text),
                Err(_) => break Error::pipeline(format!("{} is gone", self.peer)),
            }
        };
        self.flow.fail(&self.control, fault);
        (self.abandon)();
    }

    fn failed(&self, text: &str) -> Error {
        Error::pipeline(format!("{} failed: {text}", self.peer))
    }
}
