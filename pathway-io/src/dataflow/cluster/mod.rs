//! Several processes as one: how they find each other, and what they tell each other beside the dataflow.
//!
//! Every two processes have two connections ([`meeting`]). One carries the dataflow's data and is Timely's ([`line`]). The
//! other is ours, for words ([`word`]): for each other process one thread says them ([`mouth`]), so that one that hangs
//! keeps nobody else waiting, and one hears them ([`ear`]).
//!
//! - **The clock**: each tells the others how far its own is, for theirs not to stand back.
//! - **A stop** asked for in one process is a stop of all.
//! - **A failure** of one, such as that of a sink, stops the others, which fail with its text; what is on its way is still
//!   drained. One that ends the dataflow itself (a worker that panics, a process that is gone) ends theirs at once.
//! - **Bye** is said when all of a process's own work is done, and a process ends only when it has heard it from all
//!   others. So whatever one says before, all have heard it: no process is done for another that is not, and a connection
//!   that closes without a bye is a process that is gone. Who has said bye and waits is still asked to stop, and tells
//!   those that are not done. After a stop the grace bounds the wait: twice, since the others' sources have it first.
//! - **A sign of life** is said every second until the bye: a machine without power closes no connection.

mod data_stream;
mod handshake;
mod message;
mod receiver;
mod sender;

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

pub(crate) use self::data_stream::DataLine;
use self::receiver::Ear;
use super::flow::Flow;
use crate::pipeline::workers::Workers;
use crate::run::control::Control;
use crate::run::error::{Error, Result};
use crate::run::threads;
use crate::sequencer::Message;

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
}

/// How far this process is with taking leave of the others.
#[derive(Default)]
pub(crate) struct Farewell {
    /// There are others.
    pub(crate) is_due: bool,
    /// Those from which a last word is to come.
    awaited: Vec<String>,
    /// How many of the others there is something to be told yet.
    telling: usize,
    /// The time of the last commit of this process.
    time: u64,
    /// The run is over all the same.
    cut_short: bool,
    /// Another process was the first to say that it fails: the others have heard it from there.
    heard_failure: bool,
}

impl Farewell {
    pub(crate) fn is_over(&self) -> bool {
        self.awaited.is_empty() && self.telling == 0
    }

    /// Waits no longer for the others, but until they have been told.
    pub(crate) fn cut_short(control: &Control) {
        control.update(|run| run.farewell.cut_short = true);
        let deadline = Instant::now() + LAST_WORDS;
        control.wait(|run| run.farewell.telling == 0, |_| Some(deadline));
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
        Ok(handshake::meet(workers, program, control)?.map(|peers| Cluster { peers }))
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
            run.farewell.telling = self.peers.len();
        });
        let telling = Arc::clone(control);
        flow.announce_by(move |time| telling.update(|run| run.farewell.time = time));
        for peer in self.peers {
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
            let (flow, watched) = (Arc::clone(flow), Arc::clone(control));
            let spawned = threads::spawn(&format!("to process {}", peer.process), move || peer.tell(&flow, &watched));
            if let Err(error) = spawned {
                control.update(|run| run.farewell.telling -= 1);
                control.fail(Error::pipeline(error));
            }
        }
    }
}

impl Peer {
    fn name(&self) -> String {
        format!("process {} at {}", self.process, self.address)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::message::Word;
    use super::*;

    /// More than what a connection holds that nobody reads from.
    const COMMITS: u64 = 1_000_000;

    #[test]
    fn a_process_that_hangs_keeps_neither_the_sequencer_nor_the_others_waiting() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = || {
            let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            (near, listener.accept().unwrap().0)
        };
        let ((hanging, _unread), (control, mut other)) = (line(), line());
        let peer = |process, control| Peer { process, address: String::new(), data: line().0, control };
        let cluster = Cluster { peers: vec![peer(1, hanging), peer(2, control)] };
        let (flow, control, messages) = (Arc::<Flow>::default(), Arc::default(), crossbeam_channel::unbounded().0);
        let nothing: Arc<dyn Fn() + Send + Sync> = Arc::new(|| ());
        cluster.watch(&flow, &control, &messages, &nothing, PATIENCE);
        thread::spawn(move || (1..=COMMITS).for_each(|time| flow.announce(time)));
        // Well before the one that hangs is taken for gone.
        other.set_read_timeout(Some(PATIENCE / 2)).unwrap();
        while !matches!(Word::read(&mut other).expect("a word"), Word::Time(COMMITS)) {}
    }
}
