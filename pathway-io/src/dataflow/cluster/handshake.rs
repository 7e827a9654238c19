//! How the processes of a cluster find each other: [`meet`].
//!
//! Each process listens for the processes with a higher number and connects to those with a lower number, twice: for
//! the dataflow's data, and for control messages. On each connection, both processes first say who they are
//! ([`greeting`](super::greeting)), and check that they run the same program with the same arguments.
//!
//! Any program can connect to a port. Each greeting therefore has its own thread and a deadline, and a wrong greeting
//! is ignored: a stranger can neither end the run nor keep the right process out. While this thread waits for a
//! greeting, it also checks for a stop, and checks that the earlier processes are still connected. From time to time it
//! reports the processes that are missing.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use tracing::{info, warn};

use super::greeting::{Answer, ConnectionKind, GREETING_TIMEOUT, Greeter, Greeting};
use super::{FAREWELL_TIMEOUT, MIN_PEER_TIMEOUT, Peer};
use crate::pipeline::workers::Workers;
use crate::run::control::{Control, Notice};
use crate::run::error::{Error, Result};
use crate::run::threads;

/// The interval at which a process checks for new connections and for a stop.
const LOOK: Duration = Duration::from_millis(20);
/// The interval at which a process reports the processes that are missing.
const REPORT_INTERVAL: Duration = if cfg!(test) { LOOK } else { Duration::from_secs(10) };
/// The time that the last processes have to connect, once another process has connected to all.
const LAST_TIMEOUT: Duration = if cfg!(test) { LOOK } else { MIN_PEER_TIMEOUT };
/// The maximum number of connections that greet at the same time. A further connection replaces the oldest.
const GREETERS: usize = 64;

/// One process, while it looks for the other processes.
struct Handshake<'a> {
    workers: &'a Workers,
    key: Arc<[u8]>,
    program: u64,
    control: &'a Control,
    /// The connected processes. Later processes are added only when all processes before this one are connected.
    peers: Vec<Peer>,
    next_report: Instant,
    /// The deadline for all connections, once a peer has begun to run.
    deadline: Option<Instant>,
}

/// The result of a connection.
type Connected = io::Result<(TcpStream, Answer, Option<Greeting>)>;

/// The connections that greet at the moment, each on its own thread.
struct Greeters {
    key: Arc<[u8]>,
    greeting: Vec<Arc<TcpStream>>,
    sender: Sender<Greeted>,
    greeted: Receiver<Greeted>,
}

/// A connection that has greeted, and its greeting unless that has failed.
struct Greeted {
    greeter: Greeter,
    greeting: Option<(Greeting, bool)>,
}

impl Greeters {
    fn new(key: &Arc<[u8]>) -> Self {
        let (sender, greeted) = unbounded();
        Greeters { key: Arc::clone(key), greeting: Vec::new(), sender, greeted }
    }

    fn start(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        if self.greeting.len() >= GREETERS {
            // The thread of the closed connection ends.
            let _ = self.greeting.remove(0).shutdown(Shutdown::Both);
        }
        let stream = Arc::new(stream);
        self.greeting.push(Arc::clone(&stream));
        let mut greeter = Greeter::new(&stream, &self.key, Instant::now() + GREETING_TIMEOUT);
        let sender = self.sender.clone();
        threads::spawn("greeting", move || {
            let greeting = greeter.accept().ok();
            // After a stop the receiver is gone.
            let _ = sender.send(Greeted { greeter, greeting });
        })
        .map(drop)
    }

    /// Returns a connection that has ended its greeting, if there is one.
    fn next(&mut self) -> Option<Greeted> {
        let greeted = self.greeted.try_recv().ok()?;
        self.greeting.retain(|stream| !Arc::ptr_eq(stream, &greeted.greeter.stream));
        Some(greeted)
    }
}

impl Drop for Greeters {
    fn drop(&mut self) {
        for stream in &self.greeting {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Handshake<'_> {
    fn greeting(&self, kind: u64) -> Greeting {
        Greeting {
            process: self.workers.process as u64,
            kind,
            processes: self.workers.processes() as u64,
            threads: self.workers.threads as u64,
            program: self.program,
        }
    }

    /// Returns the reason why another process does not fit.
    fn check(&self, other: Greeting) -> Result<()> {
        let own = self.greeting(other.kind);
        let fault = if other.processes != own.processes {
            format!("it was started as one of {} processes, this one as one of {}", other.processes, own.processes)
        } else if other.threads != own.threads {
            format!("it has {} threads, this one {}", other.threads, own.threads)
        } else if other.program != own.program {
            "it runs another program, or one whose tables have other columns or sinks".to_owned()
        } else if other.process >= own.processes || other.process == own.process {
            "two processes have this number".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::pipeline(format!("process {} cannot take part: {fault}", other.process)))
    }

    /// Waits for this time, and returns whether the run was stopped.
    fn is_stopped_within(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        self.control.wait(|run| run.stop.is_some(), |_| Some(until))
    }

    /// Checks the wait for the other processes, and reports the missing ones from time to time. Returns whether the run
    /// was stopped.
    ///
    /// # Errors
    ///
    /// Returns an error if a peer is gone, or has waited too long for the missing processes.
    fn check_wait(&mut self, missing: impl FnOnce() -> String) -> Result<bool> {
        let now = Instant::now();
        let states: Vec<_> = self.peers.iter().map(|peer| (peer.name(), PeerState::of(&peer.control))).collect();
        let in_state = |state| states.iter().find(|(_, other)| *other == state).map(|(name, _)| name);
        if let Some(gone) = in_state(PeerState::Gone) {
            // A stop of all processes can reach this one a moment later.
            if self.is_stopped_within(FAREWELL_TIMEOUT) {
                return Ok(true);
            }
            return Err(Error::pipeline(format!("{gone} is gone: it ended before all processes were connected")));
        }
        if let Some(running) = in_state(PeerState::Running)
            && now >= *self.deadline.get_or_insert(now + LAST_TIMEOUT)
        {
            let missing = missing();
            return Err(Error::pipeline(format!("{missing} is gone: {running} is connected to all processes")));
        }
        if now >= self.next_report {
            self.next_report = now + REPORT_INTERVAL;
            let (missing, process) = (missing(), self.workers.process);
            warn!(process, missing, "still waits for other processes");
            self.control.write_notice(Notice::Missing, || format!("waiting for {missing}"));
        }
        Ok(self.control.is_stopping())
    }

    /// Connects once, on its own thread, because it may take long to look up a name or to reach a machine that is off.
    fn connect_once(&self, process: usize, kind: ConnectionKind) -> Result<Receiver<Connected>> {
        let (sender, connected) = bounded(1);
        let (address, own) = (self.workers.addresses[process].clone(), self.greeting(kind as u64));
        let key = Arc::clone(&self.key);
        threads::spawn("connecting", move || {
            let greeted = connect(&address).and_then(|stream| {
                let deadline = Instant::now() + GREETING_TIMEOUT;
                let (answer, other) = Greeter::new(&stream, &key, deadline).connect(own)?;
                Ok((stream.try_clone()?, answer, other))
            });
            // After a stop the receiver is gone.
            let _ = sender.send(greeted);
        })
        .map_err(Error::pipeline)?;
        Ok(connected)
    }

    /// Connects to an earlier process, with as many attempts as needed. Returns `None` after a stop.
    fn dial(&mut self, process: usize, kind: ConnectionKind) -> Result<Option<TcpStream>> {
        let workers = self.workers;
        let address = &workers.addresses[process];
        let mut fault = String::new();
        let refused = |why: String| Err(Error::pipeline(format!("process {process} at {address} {why}")));
        loop {
            let connected = self.connect_once(process, kind)?;
            let connected = loop {
                match connected.recv_timeout(LOOK) {
                    Ok(connected) => break connected,
                    Err(RecvTimeoutError::Timeout) => {
                        if self.check_wait(|| format!("{}{fault}", name(workers, process)))? {
                            return Ok(None);
                        }
                    }
                    Err(RecvTimeoutError::Disconnected) => break Err(ErrorKind::Other.into()),
                }
            };
            match connected {
                Ok((_, Answer::WrongKey, _)) => {
                    return refused(
                        "has another cluster key\nhelp: set `PATHWAY_CLUSTER_KEY` to the same text for all processes"
                            .to_owned(),
                    );
                }
                Ok((_, Answer::Taken, _)) => {
                    return refused(format!(
                        "already has a process {own}: either a second one was started with `-p {own}`, or a foreign \
                         program has taken its number\nhelp: set `PATHWAY_CLUSTER_KEY`, which keeps other programs out",
                        own = self.workers.process
                    ));
                }
                Ok((stream, answer, other)) => {
                    if let Some(other) = other {
                        self.check(other)?;
                        if other.process != process as u64 {
                            return refused(format!("is process {}: the lists of addresses differ", other.process));
                        }
                    }
                    if answer == Answer::Accepted {
                        return Ok(Some(stream));
                    }
                    return refused(
                        "does not accept this process: it runs another program, or one whose tables have other columns \
                         or sinks, or was started with other numbers of threads or processes"
                            .to_owned(),
                    );
                }
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    return Err(Error::pipeline(format!("process {process} at {address}: {error}")));
                }
                // The process does not listen yet, or cannot be reached at the moment.
                Err(error) => fault = format!(" ({error})"),
            }
            if self.is_stopped_within(LOOK) || self.check_wait(|| format!("{}{fault}", name(workers, process)))? {
                return Ok(None);
            }
        }
    }

    /// Accepts the connections of the later processes. Returns `None` after a stop.
    fn accept(&mut self, listeners: &[TcpListener]) -> Result<Option<Vec<Peer>>> {
        let workers = self.workers;
        let later = workers.process + 1..workers.processes();
        let mut found: Vec<[Option<TcpStream>; 2]> = later.clone().map(|_| [None, None]).collect();
        let mut greeters = Greeters::new(&self.key);
        while found.iter().flatten().any(Option::is_none) {
            let missing = || {
                let is_missing =
                    |lines: &[Option<TcpStream>; 2]| !lines.iter().all(|line| line.as_ref().is_some_and(is_alive));
                let missing = later.clone().zip(&found).filter(|(_, lines)| is_missing(lines));
                missing.map(|(process, _)| name(workers, process)).collect::<Vec<_>>().join(", ")
            };
            if self.is_stopped_within(LOOK) || self.check_wait(missing)? {
                return Ok(None);
            }
            for (stream, _) in listeners.iter().filter_map(|listener| listener.accept().ok()) {
                // A connection that is closed already is ignored.
                let _ = greeters.start(stream);
            }
            while let Some(Greeted { greeter, greeting }) = greeters.next() {
                let Some((other, is_proven)) = greeting else { continue };
                let place = (other.process as usize).checked_sub(later.start).and_then(|place| found.get_mut(place));
                let place = place.and_then(|lines| lines.get_mut(other.kind as usize));
                let fault = self.check(other);
                let own = self.greeting(other.kind);
                let answered = match (is_proven, fault, place) {
                    (false, _, _) => greeter.answer(Answer::WrongKey, None),
                    (true, Ok(()), Some(place)) if place.as_ref().is_some_and(is_alive) => {
                        greeter.answer(Answer::Taken, None)
                    }
                    (true, Ok(()), Some(place)) => {
                        let accepted = greeter.answer(Answer::Accepted, Some(own));
                        *place = accepted.and_then(|()| greeter.stream.try_clone()).ok();
                        continue;
                    }
                    // Only a process of this cluster knows the key. Without one it may be a stranger.
                    (true, fault, _) => {
                        let is_known = !self.key.is_empty();
                        let answered = greeter.answer(Answer::Unfit, is_known.then_some(own));
                        if is_known {
                            fault?;
                        }
                        answered
                    }
                };
                let address = greeter.stream.peer_addr().map_or_else(|_| "?".to_owned(), |address| address.to_string());
                let was_answered = answered.is_ok();
                warn!(
                    address,
                    was_answered, "a connection was refused: it is not one of the processes that are waited for"
                );
            }
        }
        let peers = later.zip(found).filter_map(|(process, lines)| match lines {
            [Some(data), Some(control)] => Some(self.peer(process, data, control)),
            _ => None,
        });
        Ok(Some(peers.collect()))
    }

    fn peer(&self, process: usize, data: TcpStream, control: TcpStream) -> Peer {
        Peer { process, address: self.workers.addresses[process].clone(), data, control }
    }
}

/// The other end of a connection on which this process has not read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PeerState {
    Waiting,
    /// It has sent a message, so it is connected to all processes.
    Running,
    /// It has closed the connection.
    Gone,
}

impl PeerState {
    fn of(stream: &TcpStream) -> Self {
        let peeked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
        let state = match peeked {
            Ok(1..) => PeerState::Running,
            Err(error) if error.kind() == ErrorKind::WouldBlock => PeerState::Waiting,
            Ok(0) | Err(_) => PeerState::Gone,
        };
        if stream.set_nonblocking(false).is_ok() { state } else { PeerState::Gone }
    }
}

fn is_alive(stream: &TcpStream) -> bool {
    PeerState::of(stream) != PeerState::Gone
}

fn name(workers: &Workers, process: usize) -> String {
    super::name(process, &workers.addresses[process])
}

/// Connects to the first of the addresses that can be reached.
fn connect(address: &str) -> io::Result<Arc<TcpStream>> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in address.split_whitespace() {
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, GREETING_TIMEOUT) {
                Ok(stream) => return Ok(Arc::new(stream)),
                Err(error) => last = error,
            }
        }
    }
    Err(last)
}

/// Waits until all processes are connected. Returns `None` if a stop came first.
pub(super) fn meet(workers: &Workers, program: u64, control: &Control) -> Result<Option<Vec<Peer>>> {
    let next_report = Instant::now() + REPORT_INTERVAL;
    let key = workers.key.as_slice().into();
    let mut handshake = Handshake { workers, key, program, control, peers: Vec::new(), next_report, deadline: None };
    let own = &workers.addresses[workers.process];
    info!(process = workers.process, processes = workers.processes(), "waits for the other processes");
    let cannot_listen = |error| Error::pipeline(format!("cannot listen at {own}: {error}"));
    let mut listeners = Vec::new();
    if workers.process + 1 < workers.processes() {
        for address in own.split_whitespace() {
            let listener = TcpListener::bind(address).map_err(cannot_listen)?;
            listener.set_nonblocking(true).map_err(cannot_listen)?;
            listeners.push(listener);
        }
    }
    for process in 0..workers.process {
        let (Some(data), Some(control)) =
            (handshake.dial(process, ConnectionKind::Data)?, handshake.dial(process, ConnectionKind::Control)?)
        else {
            return Ok(None);
        };
        let peer = handshake.peer(process, data, control);
        handshake.peers.push(peer);
    }
    let Some(later) = handshake.accept(&listeners)? else { return Ok(None) };
    let mut peers = handshake.peers;
    peers.extend(later);
    for stream in peers.iter().flat_map(|peer| [&peer.data, &peer.control]) {
        stream.set_nodelay(true).map_err(Error::pipeline)?;
    }
    Ok(Some(peers))
}

#[cfg(test)]
mod tests;
