//! How the processes of a cluster find each other: [`meet`].
//!
//! Each listens for those with a higher number and dials those with a lower one, twice: for the dataflow's data, and for
//! words. On each connection both say first who they are, so that the same program with the same arguments is held
//! against itself; and while one waits for the others, it can be stopped.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use tracing::info;

use super::Peer;
use crate::pipeline::workers::Workers;
use crate::run::control::Control;
use crate::run::error::{Error, Result};

/// How often a process looks whether another has come.
const LOOK: Duration = Duration::from_millis(20);
/// How long a greeting may take.
const GREETING: Duration = Duration::from_secs(5);

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Data = 0,
    Control = 1,
}

/// What each end of a connection says first.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Greeting {
    process: u64,
    kind: u64,
    processes: u64,
    threads: u64,
    /// Of the computations: processes of different programs would wait for each other for ever.
    program: u64,
}

const MAGIC: &[u8; 8] = b"pathway0";
const GREETING_BYTES: usize = MAGIC.len() + 5 * size_of::<u64>();

impl Greeting {
    fn write(self, stream: &mut TcpStream) -> io::Result<()> {
        let mut bytes = MAGIC.to_vec();
        for number in [self.process, self.kind, self.processes, self.threads, self.program] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        stream.write_all(&bytes)
    }

    fn read(stream: &mut TcpStream) -> io::Result<Self> {
        let mut bytes = [0; GREETING_BYTES];
        stream.set_read_timeout(Some(GREETING))?;
        stream.read_exact(&mut bytes)?;
        stream.set_read_timeout(None)?;
        let (magic, numbers) = bytes.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(io::Error::new(ErrorKind::InvalidData, "the peer is not a process of a pathway-io pipeline"));
        }
        let mut numbers = numbers.as_chunks::<8>().0.iter().map(|number| u64::from_be_bytes(*number));
        let mut next = || numbers.next().unwrap_or_default();
        Ok(Greeting { process: next(), kind: next(), processes: next(), threads: next(), program: next() })
    }
}

/// One process, while it looks for the others.
struct Handshake<'a> {
    workers: &'a Workers,
    program: u64,
    control: &'a Control,
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

    /// Says what is wrong with another process.
    fn check(&self, other: Greeting) -> Result<()> {
        let own = self.greeting(other.kind);
        let fault = if other.processes != own.processes {
            format!("it was started as one of {} processes, this one as one of {}", other.processes, own.processes)
        } else if other.threads != own.threads {
            format!("it has {} threads, this one {}", other.threads, own.threads)
        } else if other.program != own.program {
            "it runs another program, or one whose tables have other sinks".to_owned()
        } else if other.process >= own.processes || other.process == own.process {
            "two processes have this number".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::pipeline(format!("process {} cannot take part: {fault}", other.process)))
    }

    /// Waits a moment; whether it is time to give up.
    fn is_stopped(&self) -> bool {
        let until = Instant::now() + LOOK;
        self.control.wait(|run| run.stop.is_some(), |_| Some(until))
    }

    /// Connects to an earlier process, as often as it takes; `None` after a stop.
    fn dial(&self, process: usize, kind: Kind) -> Result<Option<TcpStream>> {
        let address = &self.workers.addresses[process];
        loop {
            let greeted = connect(address).and_then(|mut stream| {
                self.greeting(kind as u64).write(&mut stream)?;
                let other = Greeting::read(&mut stream)?;
                Ok((stream, other))
            });
            match greeted {
                Ok((stream, other)) => {
                    self.check(other)?;
                    return Ok(Some(stream));
                }
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    return Err(Error::pipeline(format!("process {process} at {address}: {error}")));
                }
                // It does not listen yet, or cannot be reached at the moment.
                Err(_) => {}
            }
            if self.is_stopped() {
                return Ok(None);
            }
        }
    }

    /// Takes the connections of the later processes; `None` after a stop.
    fn accept(&self, listeners: &[TcpListener]) -> Result<Option<Vec<Peer>>> {
        let later = self.workers.process + 1..self.workers.processes();
        let mut found: Vec<[Option<TcpStream>; 2]> = later.clone().map(|_| [None, None]).collect();
        while found.iter().flatten().any(Option::is_none) {
            let accepted: Vec<TcpStream> =
                listeners.iter().filter_map(|listener| listener.accept().ok()).map(|(stream, _)| stream).collect();
            if accepted.is_empty() && self.is_stopped() {
                return Ok(None);
            }
            for mut stream in accepted {
                // Who does not greet is not meant.
                let greeted = stream.set_nonblocking(false).and_then(|()| Greeting::read(&mut stream));
                let Ok(other) = greeted else { continue };
                // It is to see the fault as well.
                let answered = self.greeting(other.kind).write(&mut stream);
                self.check(other)?;
                let place = (other.process as usize).checked_sub(later.start).and_then(|place| found.get_mut(place));
                let line = place.and_then(|lines| lines.get_mut(other.kind as usize));
                if let (Some(line), Ok(())) = (line, answered) {
                    *line = Some(stream);
                }
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

/// Connects without waiting longer than a greeting may take: a stop is not to wait for a machine that is off.
fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in address.split_whitespace() {
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, GREETING) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
    }
    Err(last)
}

/// Waits until all processes are there; `None` if a stop came first.
pub(super) fn meet(workers: &Workers, program: u64, control: &Control) -> Result<Option<Vec<Peer>>> {
    let handshake = Handshake { workers, program, control };
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
    let mut peers = Vec::new();
    for process in 0..workers.process {
        let (Some(data), Some(line)) = (handshake.dial(process, Kind::Data)?, handshake.dial(process, Kind::Control)?)
        else {
            return Ok(None);
        };
        peers.push(handshake.peer(process, data, line));
    }
    let Some(later) = handshake.accept(&listeners)? else { return Ok(None) };
    peers.extend(later);
    for stream in peers.iter().flat_map(|peer| [&peer.data, &peer.control]) {
        stream.set_nodelay(true).map_err(Error::pipeline)?;
    }
    Ok(Some(peers))
}
