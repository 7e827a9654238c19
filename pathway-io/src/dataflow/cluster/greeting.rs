//! The first messages on a connection: both ends say who they are, and prove that they know the cluster's key.
//!
//! | from | bytes |
//! |---|---|
//! | the process that connects | the magic number, a nonce |
//! | the process that listens | the magic number, a nonce |
//! | the process that connects | its [`Greeting`], a proof |
//! | the process that listens | an [`Answer`], its greeting, a proof |
//!
//! A proof is the HMAC-SHA-256 of the side, both nonces and the greeting, with the cluster's key, or with an empty key
//! if there is none. A stranger learns nothing about the program: the listener's greeting is sent only to a process
//! that was accepted, or that knows a key.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The deadline for a whole greeting.
pub(super) const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

const MAGIC: &[u8; 8] = b"pathway1";
const NONCE_BYTES: usize = 32;
const HELLO_BYTES: usize = MAGIC.len() + NONCE_BYTES;
const GREETING_BYTES: usize = 5 * size_of::<u64>();
const PROOF_BYTES: usize = 32;

/// The purpose of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionKind {
    Data = 0,
    Control = 1,
}

/// The identity of one end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) process: u64,
    pub(super) kind: u64,
    pub(super) processes: u64,
    pub(super) threads: u64,
    /// A hash of the computations: processes of different programs would wait for each other forever.
    pub(super) program: u64,
}

impl Greeting {
    fn to_bytes(self) -> Vec<u8> {
        [self.process, self.kind, self.processes, self.threads, self.program].map(u64::to_be_bytes).concat()
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        let mut numbers = bytes.as_chunks::<8>().0.iter().map(|number| u64::from_be_bytes(*number));
        let mut next = || numbers.next().unwrap_or_default();
        Greeting { process: next(), kind: next(), processes: next(), threads: next(), program: next() }
    }
}

/// The answer of the listening end to a greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted = 0,
    /// The proof is wrong.
    WrongKey = 1,
    /// The processes do not fit together.
    Unfit = 2,
    /// Another connection has that number already.
    Taken = 3,
}

/// One connection until both ends have greeted.
pub(super) struct Greeter {
    pub(super) stream: Arc<TcpStream>,
    key: Arc<[u8]>,
    deadline: Instant,
    nonces: Vec<u8>,
}

/// The sides of a connection. They differ, so that neither side can send the other's proof back.
const CONNECTING: u8 = b'c';
const LISTENING: u8 = b'l';

impl Greeter {
    pub(super) fn new(stream: &Arc<TcpStream>, key: &Arc<[u8]>, deadline: Instant) -> Self {
        Greeter { stream: Arc::clone(stream), key: Arc::clone(key), deadline, nonces: Vec::new() }
    }

    /// Reads exactly `N` bytes before the deadline, however slowly they arrive.
    fn read<const N: usize>(&self) -> io::Result<[u8; N]> {
        let (mut bytes, mut read) = ([0; N], 0);
        while read < N {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            match (&*self.stream).read(&mut bytes[read..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(more) => read += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(bytes)
    }

    /// Writes a message. It is shorter than the buffer of any connection, so that it does not wait.
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.stream.set_write_timeout(Some(GREETING_TIMEOUT))?;
        (&*self.stream).write_all(bytes)
    }

    fn hello() -> io::Result<[u8; HELLO_BYTES]> {
        let mut hello = [0; HELLO_BYTES];
        let (magic, nonce) = hello.split_at_mut(MAGIC.len());
        magic.copy_from_slice(MAGIC);
        getrandom::fill(nonce).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(hello)
    }

    fn mac(&self, side: u8, answer: u8, greeting: &[u8]) -> Hmac<Sha256> {
        // HMAC accepts a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(&[side, answer]);
        mac.update(&self.nonces);
        mac.update(greeting);
        mac
    }

    fn proof(&self, side: u8, answer: u8, greeting: &[u8]) -> Vec<u8> {
        self.mac(side, answer, greeting).finalize().into_bytes().to_vec()
    }

    /// Compares in constant time.
    fn is_proven(&self, side: u8, answer: u8, greeting: &[u8], proof: &[u8]) -> bool {
        self.mac(side, answer, greeting).verify_slice(proof).is_ok()
    }

    fn not_a_peer() -> io::Error {
        io::Error::new(ErrorKind::InvalidData, "the peer is not a process of a pathway-io pipeline of this version")
    }

    /// Greets the process that listens. Returns its answer, and its greeting if it sent one.
    pub(super) fn connect(&mut self, own: Greeting) -> io::Result<(Answer, Option<Greeting>)> {
        let hello = Self::hello()?;
        self.write(&hello)?;
        let theirs = self.read::<HELLO_BYTES>()?;
        if !theirs.starts_with(MAGIC) {
            return Err(Self::not_a_peer());
        }
        self.nonces = [&hello[MAGIC.len()..], &theirs[MAGIC.len()..]].concat();
        let mut greeting = own.to_bytes();
        greeting.extend(self.proof(CONNECTING, 0, &greeting));
        self.write(&greeting)?;
        let [answer] = self.read::<1>()?;
        let greeting = self.read::<GREETING_BYTES>()?;
        let proof = self.read::<PROOF_BYTES>()?;
        self.stream.set_read_timeout(None)?;
        self.stream.set_write_timeout(None)?;
        let proven = self.is_proven(LISTENING, answer, &greeting, &proof).then(|| Greeting::of_bytes(&greeting));
        match (answer, proven) {
            (0, Some(other)) => Ok((Answer::Accepted, Some(other))),
            (0, None) | (1, _) => Ok((Answer::WrongKey, None)),
            (2, other) => Ok((Answer::Unfit, other)),
            (3, _) => Ok((Answer::Taken, None)),
            _ => Err(Self::not_a_peer()),
        }
    }

    /// Greets the process that connects. Returns its greeting, and whether it has proved that it knows the key.
    pub(super) fn accept(&mut self) -> io::Result<(Greeting, bool)> {
        let theirs = self.read::<HELLO_BYTES>()?;
        if !theirs.starts_with(MAGIC) {
            return Err(Self::not_a_peer());
        }
        let hello = Self::hello()?;
        self.write(&hello)?;
        self.nonces = [&theirs[MAGIC.len()..], &hello[MAGIC.len()..]].concat();
        let greeting = self.read::<GREETING_BYTES>()?;
        let proof = self.read::<PROOF_BYTES>()?;
        Ok((Greeting::of_bytes(&greeting), self.is_proven(CONNECTING, 0, &greeting, &proof)))
    }

    /// Answers the process that connects. `own` is sent only if the other process may know the identity of this one.
    pub(super) fn answer(&self, answer: Answer, own: Option<Greeting>) -> io::Result<()> {
        let mut bytes = vec![answer as u8];
        match own.map(Greeting::to_bytes) {
            Some(greeting) => {
                bytes.extend(&greeting);
                bytes.extend(self.proof(LISTENING, answer as u8, &greeting));
            }
            None => bytes.extend([0; GREETING_BYTES + PROOF_BYTES]),
        }
        self.write(&bytes)?;
        self.stream.set_read_timeout(None)?;
        self.stream.set_write_timeout(None)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    // FAULTS 28
    #[test]
    fn the_deadline_is_for_the_whole_greeting_however_slowly_it_arrives() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut slow = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let stream = Arc::new(listener.accept().unwrap().0);
        let began = Instant::now();
        let sending = thread::spawn(move || {
            for byte in MAGIC.iter().chain(std::iter::repeat(&7)) {
                // The other end closes the connection.
                if slow.write_all(&[*byte]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(100));
            }
        });
        assert!(Greeter::new(&stream, &Arc::default(), began + Duration::from_millis(250)).accept().is_err());
        assert!(began.elapsed() < GREETING_TIMEOUT, "each byte has its own deadline");
        drop(stream);
        sending.join().unwrap();
    }
}
