//! A cluster of processes that runs one pipeline: how they find each other, and the messages that they exchange in
//! addition to the dataflow's data.
//!
//! Every two processes have two connections ([`handshake`], [`greeting`]). One carries the dataflow's data and is
//! Timely's ([`data_stream`]). The other carries our own messages ([`message`]). For each other process, one thread
//! sends them ([`sender`]), so that a process that hangs delays no other, and one thread receives them ([`receiver`]).
//!
//! - **The clock**: each process sends the time of its clock to the others, so that no clock falls behind.
//! - **A stop** that is requested in one process stops all processes.
//! - **A failure** in a process, for example of a sink, stops the other processes, which fail with the same text.
//!   Pending rows are still delivered. A failure of the dataflow itself (a worker that panics, a process that is gone)
//!   ends the dataflow of every process immediately.
//! - **Done** is sent when all work of a process is done. A process ends only when it has received this message, and so
//!   everything before it, from all other processes ([`ShutdownBarrier`]). If a connection closes without this message,
//!   its process is gone. A process that is done and waits can still be asked to stop, and tells the processes that are
//!   not done. After a stop the wait lasts at most two grace periods, because the sources of the other processes have
//!   the first.
//! - **A heartbeat** is sent every second until `Done` is sent, because a machine that loses power closes no
//!   connection.

mod data_stream;
mod greeting;
mod handshake;
mod message;
mod receiver;
mod sender;

use std::io;
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub(crate) use self::data_stream::DataStream;
use self::receiver::Receiver;
use super::flow::Flow;
use crate::pipeline::workers::Workers;
use crate::run::control::{Control, PartId};
use crate::run::error::{Error, Result};
use crate::run::lock::Lock;
use crate::run::part::{Evidence, Part, Phase, Role};
use crate::run::threads;
use crate::sequencer::inbox::Inbox;

/// The deadline for sending or receiving the reason for an end.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);
/// The lower limit for the time without a message from a peer.
const MIN_PEER_TIMEOUT: Duration = Duration::from_secs(10);

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

/// The progress of the processes towards a common end. A process ends only when all have done their work.
#[derive(Default)]
pub(crate) struct ShutdownBarrier {
    state: Lock<BarrierState>,
    /// The barrier, as the run waits for it.
    part: OnceLock<PartId>,
}

#[derive(Default)]
pub(super) struct BarrierState {
    /// The processes that have not yet reported that they are done.
    awaited: Vec<String>,
    /// The number of processes to which messages must still be sent.
    unsent: usize,
    /// The time of the last commit of this process.
    time: u64,
    /// Whether the run ends without waiting for the other processes.
    cut_short: bool,
    /// Another process was the first to report its failure, and has told all processes itself.
    peer_has_failed: bool,
}

impl BarrierState {
    fn is_over(&self) -> bool {
        self.awaited.is_empty() && self.unsent == 0
    }
}

impl Part for ShutdownBarrier {
    fn role(&self) -> Role {
        Role::Process
    }

    fn overdue(&self) -> Vec<(Evidence, Error)> {
        let failure = |peer: &String| {
            let text = format!("{peer} had not ended when the grace period was over");
            (Evidence::OtherProcess, Error::pipeline(text))
        };
        self.state.lock().awaited.iter().map(failure).collect()
    }
}

impl ShutdownBarrier {
    fn read<T>(&self, look: impl FnOnce(&BarrierState) -> T) -> T {
        look(&self.state.lock())
    }

    /// Changes the state, and wakes the threads that wait for it.
    fn update(&self, control: &Control, change: impl FnOnce(&mut BarrierState)) {
        let is_over = {
            let mut state = self.state.lock();
            change(&mut state);
            state.is_over()
        };
        match self.part.get() {
            Some(part) if is_over => control.set_phase(*part, Phase::Ended),
            _ => control.notify(),
        }
    }

    /// Records that a process is done, or is gone.
    fn mark_done(&self, control: &Control, peer: &str) {
        self.update(control, |state| state.awaited.retain(|awaited| *awaited != *peer));
    }

    /// Records that all messages to a process are sent.
    fn mark_sent(&self, control: &Control) {
        self.update(control, |state| state.unsent -= 1);
    }

    /// Stops waiting for the other processes to be done, but waits until all messages to them are sent.
    pub(crate) fn cut_short(&self, control: &Control) {
        self.update(control, |state| state.cut_short = true);
        let deadline = Instant::now() + FAREWELL_TIMEOUT;
        control.wait(|_| self.read(|state| state.unsent == 0), |_| Some(deadline));
    }
}

impl Cluster {
    /// Waits until all processes are connected. Returns `None` if a stop came first.
    pub(crate) fn meet(workers: &Workers, program: u64, control: &Control) -> Result<Option<Self>> {
        Ok(handshake::meet(workers, program, control)?.map(|peers| Cluster { peers }))
    }

    /// Returns the connections for the dataflow's data, in the order of the processes. The entry of this process is
    /// `None`.
    pub(crate) fn data_streams(&self, own: usize) -> io::Result<Vec<Option<DataStream>>> {
        let stream =
            |peer: &Peer| Ok(Some(DataStream::new(peer.data.try_clone()?, Arc::new(peer.control.try_clone()?))));
        let mut streams: Vec<Option<DataStream>> = self.peers.iter().map(stream).collect::<io::Result<_>>()?;
        streams.insert(own, None);
        Ok(streams)
    }

    /// Starts the threads that receive from the other processes and send to them. A peer that sends nothing for the
    /// grace period is considered gone.
    pub(crate) fn watch(
        self,
        flow: &Arc<Flow>,
        control: &Arc<Control>,
        inbox: &Arc<Inbox>,
        abandon: &Arc<dyn Fn() + Send + Sync>,
        grace_period: Duration,
    ) -> Arc<ShutdownBarrier> {
        let peer_timeout = grace_period.max(MIN_PEER_TIMEOUT);
        let barrier = Arc::<ShutdownBarrier>::default();
        {
            let mut state = barrier.state.lock();
            state.awaited = self.peers.iter().map(Peer::name).collect();
            state.unsent = self.peers.len();
        }
        let part = control.add(Arc::clone(&barrier) as _, Phase::Running);
        // A run has one cluster.
        let _ = barrier.part.set(part);
        let (announcing, waking) = (Arc::clone(&barrier), Arc::clone(control));
        flow.announce_by(move |time| announcing.update(&waking, |state| state.time = time));
        for peer in self.peers {
            let heard = peer.control.try_clone().and_then(|stream| {
                stream.set_read_timeout(Some(peer_timeout))?;
                let receiver = Receiver {
                    stream,
                    peer: peer.name(),
                    peer_timeout,
                    flow: Arc::clone(flow),
                    control: Arc::clone(control),
                    barrier: Arc::clone(&barrier),
                    inbox: Arc::clone(inbox),
                    abandon: Arc::clone(abandon),
                };
                threads::spawn(&format!("process {}", peer.process), move || receiver.run())
            });
            if let Err(error) = heard {
                barrier.mark_done(control, &peer.name());
                control.fail(Error::pipeline(error));
            }
            let (flow, watched, sending) = (Arc::clone(flow), Arc::clone(control), Arc::clone(&barrier));
            let spawned = threads::spawn(&format!("to process {}", peer.process), move || {
                peer.send_messages(&flow, &watched, &sending)
            });
            if let Err(error) = spawned {
                barrier.mark_sent(control);
                control.fail(Error::pipeline(error));
            }
        }
        barrier
    }
}

impl Peer {
    fn name(&self) -> String {
        name(self.process, &self.address)
    }
}

/// Returns the name of a process in errors and in the log.
fn name(process: usize, address: &str) -> String {
    format!("process {process} at {address}")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::message::PeerMessage;
    use super::*;

    /// The longest wait, which only a hang can reach.
    const DEADLINE: Duration = Duration::from_secs(30);
    /// More commits than a connection buffers while its receiver does not read.
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
        let (flow, control, inbox) = (Arc::<Flow>::default(), Arc::default(), Inbox::new());
        let nothing: Arc<dyn Fn() + Send + Sync> = Arc::new(|| ());
        cluster.watch(&flow, &control, &inbox, &nothing, 2 * DEADLINE);
        thread::spawn(move || (1..=COMMITS).for_each(|time| flow.announce(time)));
        // Well before the process that hangs is considered gone.
        other.set_read_timeout(Some(DEADLINE)).unwrap();
        while !matches!(PeerMessage::read(&mut other).expect("a word"), PeerMessage::Time(COMMITS)) {}
    }
}
