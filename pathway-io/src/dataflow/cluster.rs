//! Several processes as one: how they find each other, and what they tell each other beside the dataflow.
//!
//! Every two processes have two connections. One carries the dataflow's data and is Timely's. The other is ours: a stop
//! asked for in one process is a stop of all, and a failure of one ends the others with its text. A process that is
//! killed says nothing, but its connections close.
//!
//! Before any of that, the two hold the same program with the same arguments against each other; and while one waits for
//! the others, it can be stopped.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use tracing::info;

use super::flow::Flow;
use super::workers::Workers;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::sequencer::Message;
use crate::summary::Stop;
use crate::threads;

/// How often a process looks whether another has come.
const LOOK: Duration = Duration::from_millis(20);
/// How long a greeting may take.
const GREETING: Duration = Duration::from_secs(5);

/// The other processes.
pub(crate) struct Cluster {
    peers: Vec<Peer>,
}

pub(crate) struct Peer {
    process: usize,
    address: String,
    pub(crate) data: TcpStream,
    control: TcpStream,
    mouth: Mutex<TcpStream>,
}

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
            return Err(io::Error::new(ErrorKind::InvalidData, "it is no process of a pipeline"));
        }
        let mut numbers = numbers.as_chunks::<8>().0.iter().map(|number| u64::from_be_bytes(*number));
        let mut next = || numbers.next().unwrap_or_default();
        Ok(Greeting { process: next(), kind: next(), processes: next(), threads: next(), program: next() })
    }
}

/// One process, while it looks for the others.
struct Meeting<'a> {
    workers: &'a Workers,
    program: u64,
    control: &'a Control,
}

impl Meeting<'_> {
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
            "it runs another program".to_owned()
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
        peers.collect::<io::Result<_>>().map(Some).map_err(Error::pipeline)
    }

    fn peer(&self, process: usize, data: TcpStream, control: TcpStream) -> io::Result<Peer> {
        let mouth = Mutex::new(control.try_clone()?);
        Ok(Peer { process, address: self.workers.addresses[process].clone(), data, control, mouth })
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

impl Cluster {
    /// Waits until all processes are there; `None` if a stop came first.
    pub(crate) fn meet(workers: &Workers, program: u64, control: &Control) -> Result<Option<Self>> {
        let meeting = Meeting { workers, program, control };
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
            let (Some(data), Some(line)) = (meeting.dial(process, Kind::Data)?, meeting.dial(process, Kind::Control)?)
            else {
                return Ok(None);
            };
            peers.push(meeting.peer(process, data, line).map_err(Error::pipeline)?);
        }
        let Some(later) = meeting.accept(&listeners)? else { return Ok(None) };
        peers.extend(later);
        for stream in peers.iter().flat_map(|peer| [&peer.data, &peer.control]) {
            stream.set_nodelay(true).map_err(Error::pipeline)?;
        }
        Ok(Some(Cluster { peers }))
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
        for peer in &self.peers {
            let Ok(line) = peer.control.try_clone() else { continue };
            let ear = Ear {
                line,
                process: peer.process,
                address: peer.address.clone(),
                flow: Arc::clone(flow),
                control: Arc::clone(control),
                messages: messages.clone(),
                abandon: Arc::clone(abandon),
            };
            let spawned = threads::spawn(&format!("process {}", peer.process), move || ear.listen());
            if let Err(error) = spawned {
                control.fail(Error::pipeline(error));
            }
        }
        let (flow, watched) = (Arc::clone(flow), Arc::clone(control));
        let cluster = Arc::new(self);
        let announcing = Arc::clone(&cluster);
        flow.announce_by(move |time| announcing.say(&Word::Time(time)));
        let spawned = threads::spawn("cluster", move || cluster.tell(&flow, &watched));
        if let Err(error) = spawned {
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
        let mut said_stop = false;
        loop {
            let mut news = None;
            control.wait(
                |run| {
                    news = if flow.has_failed() {
                        // Not the stop that comes with it, which would be a clean end for the others.
                        run.failures.first().map(|failure| Word::Failed(failure.to_string()))
                    } else if let Some((stop, _)) = run.stop.filter(|_| !said_stop) {
                        Some(Word::Stop(stop))
                    } else {
                        run.workers.iter().all(|worker| worker.ended).then_some(Word::Bye)
                    };
                    news.is_some()
                },
                |_| None,
            );
            let Some(word) = news else { continue };
            self.say(&word);
            match word {
                Word::Stop(_) | Word::Time(_) => said_stop = true,
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

/// What one process tells another.
enum Word {
    /// It has made a commit at that time.
    Time(u64),
    Stop(Stop),
    Failed(String),
    Bye,
}

impl Word {
    fn write(&self, line: &mut impl Write) -> io::Result<()> {
        let (tag, text) = match self {
            Word::Time(time) => (b't', time.to_string()),
            Word::Stop(Stop::Signal(signal)) => (b's', signal.to_string()),
            Word::Stop(Stop::Handle | Stop::Failure) => (b's', String::new()),
            Word::Failed(text) => (b'f', text.clone()),
            Word::Bye => (b'b', String::new()),
        };
        let mut bytes = vec![tag];
        bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
        line.write_all(&bytes)
    }

    fn read(line: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; 5];
        line.read_exact(&mut head)?;
        let [tag, length @ ..] = head;
        let mut text = Vec::new();
        line.take(u32::from_be_bytes(length).into()).read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(match tag {
            b's' => Word::Stop(text.parse().map_or(Stop::Handle, Stop::Signal)),
            b't' => Word::Time(text.parse().map_err(|_| ErrorKind::InvalidData)?),
            b'f' => Word::Failed(text),
            b'b' => Word::Bye,
            _ => return Err(ErrorKind::InvalidData.into()),
        })
    }
}

/// Listens to one other process.
struct Ear {
    line: TcpStream,
    process: usize,
    address: String,
    flow: Arc<Flow>,
    control: Arc<Control>,
    messages: Sender<Message>,
    abandon: Arc<dyn Fn() + Send + Sync>,
}

impl Ear {
    fn listen(mut self) {
        loop {
            let fault = match Word::read(&mut self.line) {
                Ok(Word::Bye) => return,
                Ok(Word::Time(time)) => {
                    // Without a sequencer nothing has to keep up.
                    let _ = self.messages.send(Message::Heard(time));
                    continue;
                }
                Ok(Word::Stop(stop)) => {
                    self.control.stop(stop);
                    continue;
                }
                Ok(Word::Failed(text)) => format!("process {} at {} failed: {text}", self.process, self.address),
                Err(_) => format!("process {} at {} is gone", self.process, self.address),
            };
            // Workers end also where the dataflow was given up, and then nothing is done.
            let ended = self.control.update(|run| run.workers.iter().all(|worker| worker.ended));
            let done = ended && !self.flow.is_aborted();
            if !done {
                self.flow.fail(&self.control, Error::pipeline(fault));
                (self.abandon)();
            }
            return;
        }
    }
}

/// A connection for data, as Timely's threads have it. Timely panics where one fails, and says so on standard error;
/// but that is noticed by who listens, and the thread has nothing left to do.
pub(crate) struct DataLine {
    stream: TcpStream,
    /// How many zeros came last: an orderly end is a header of nothing else.
    zeros: usize,
}

/// The length of the header of Timely's messages.
const HEADER_BYTES: usize = 6 * size_of::<u64>();

impl DataLine {
    pub(crate) fn new(stream: TcpStream) -> Self {
        DataLine { stream, zeros: 0 }
    }

    fn give_up() -> ! {
        loop {
            std::thread::park();
        }
    }
}

impl Read for DataLine {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(buffer) {
            Ok(0) if self.zeros < HEADER_BYTES => Self::give_up(),
            Ok(read) => {
                let zeros = buffer[..read].iter().rev().take_while(|byte| **byte == 0).count();
                self.zeros = if zeros == read { self.zeros + zeros } else { zeros };
                Ok(read)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(_) => Self::give_up(),
        }
    }
}

impl Write for DataLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.write(bytes) {
            Err(error) if error.kind() != ErrorKind::Interrupted => Self::give_up(),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl timely::communication::allocator::zero_copy::stream::Stream for DataLine {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(DataLine::new(self.stream.try_clone()?))
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.stream.set_nonblocking(nonblocking)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        // It may be closed already, which is what was wanted.
        let _ = self.stream.shutdown(how);
        Ok(())
    }
}
