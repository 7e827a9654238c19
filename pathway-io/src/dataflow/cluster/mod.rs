//! Several processes as one: how they find each other, and what they tell each other beside the dataflow.
//!
//! Every two processes have two connections ([`meeting`]). One carries the dataflow's data and is Timely's ([`line`]). The
//! other is ours, for words ([`word`]), which one thread says ([`mouth`]) and one for each other process hears ([`ear`]):
//!
//! - **A stop** asked for in one process is a stop of all.
//! - **A failure** of one, such as that of a sink, stops the others, which fail with its text; what is on its way is still
//!   drained. One that ends the dataflow itself (a worker that panics, a process that is gone) ends theirs at once.
//! - **Bye** is said when all of a process's own work is done, and a process ends only when it has heard it from all
//!   others. So whatever one says before, all have heard it: no process is done for another that is not, and a connection
//!   that closes without a bye is a process that is gone. Who has said bye and waits is still asked to stop, and tells
//!   those that are not done. After a stop the grace bounds the wait: twice, since the others' sources have it first.
//! - **A sign of life** is said every second until the bye: a machine without power closes no connection.

mod ear;
mod line;
mod meeting;
mod mouth;
mod word;

use std::io;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use self::ear::Ear;
pub(crate) use self::line::DataLine;
use self::word::Word;
use super::flow::Flow;
use super::workers::Workers;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::sequencer::Message;
use crate::threads;

/// How long it may take to say or to hear why something ends.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long a process may at least say nothing.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// There are others.
    pub(crate) is_due: bool,
    /// Those from which a last word is to come.
    awaited: Vec<String>,
    /// There is something to say yet.
    telling: bool,
    /// The run is over all the same.
    cut_short: bool,
    /// Another process was the first to say that it fails: the others have heard it from there.
    heard_failure: bool,
}

impl Farewell {
    pub(crate) fn is_over(&self) -> bool {
        self.awaited.is_empty() && !self.telling
    }

    /// Waits no longer for the others, but until they have been told.
    pub(crate) fn cut_short(control: &Control) {
        control.update(|run| run.farewell.cut_short = true);
        let deadline = Instant::now() + LAST_WORDS;
        control.wait(|run| !run.farewell.telling, |_| Some(deadline));
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
    pub(crate) fn data_lines(&self, own: usize) -> io::Result<Vec<Option<DataLine>>> {
        let line = |peer: &Peer| Ok(Some(DataLine::new(peer.data.try_clone()?, Arc::new(peer.control.try_clone()?))));
        let mut lines: Vec<Option<DataLine>> = self.peers.iter().map(line).collect::<io::Result<_>>()?;
        lines.insert(own, None);
        Ok(lines)
    }

    /// Listens to the other processes, and tells them what happens in this one. Who says nothing for the grace is gone.
    pub(crate) fn watch(
        self,
        flow: &Arc<Flow>,
        control: &Arc<Control>,
        messages: &Sender<Message>,
        abandon: &Arc<dyn Fn() + Send + Sync>,
        grace: Duration,
    ) {
        let patience = grace.max(PATIENCE);
        control.update(|run| {
            run.farewell.is_due = true;
            run.farewell.awaited = self.peers.iter().map(Peer::name).collect();
            run.farewell.telling = true;
        });
        for peer in &self.peers {
            let heard = peer.control.try_clone().and_then(|line| {
                line.set_read_timeout(Some(patience))?;
                let ear = Ear {
                    line,
                    peer: peer.name(),
                    patience,
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
        let spawned = threads::spawn("cluster", move || cluster.tell(&flow, &watched));
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
}

impl Peer {
    fn name(&self) -> String {
        format!("process {} at {}", self.process, self.address)
    }
}
