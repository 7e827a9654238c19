//! The connection for the dataflow's data, as Timely's threads use it: [`DataStream`].

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;

use super::FAREWELL_TIMEOUT;

/// A connection for data, as Timely's threads use it. If a connection fails, Timely panics, and its message appears on
/// standard error. This type ends the thread quietly instead: the thread that receives from the other process reports
/// the failure.
pub(crate) struct DataStream {
    stream: TcpStream,
    /// The connection for control messages to the same process.
    control: Arc<TcpStream>,
    /// The number of zeros at the end of the received bytes. An orderly end is a header of zeros.
    zeros: usize,
}

/// The length of the header of Timely's messages.
const HEADER_BYTES: usize = 6 * size_of::<u64>();

impl DataStream {
    pub(crate) fn new(stream: TcpStream, control: Arc<TcpStream>) -> Self {
        DataStream { stream, control, zeros: 0 }
    }

    fn give_up(&self) -> ! {
        // The other process may still send the reason.
        thread::sleep(FAREWELL_TIMEOUT);
        // Otherwise both connections end together.
        let _ = self.control.shutdown(Shutdown::Both);
        loop {
            thread::park();
        }
    }
}

impl Read for DataStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(buffer) {
            Ok(0) if self.zeros < HEADER_BYTES => self.give_up(),
            Ok(read) => {
                let zeros = buffer[..read].iter().rev().take_while(|byte| **byte == 0).count();
                self.zeros = if zeros == read { self.zeros + zeros } else { zeros };
                Ok(read)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(_) => self.give_up(),
        }
    }
}

impl Write for DataStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.write(bytes) {
            Err(error) if error.kind() != ErrorKind::Interrupted => self.give_up(),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl timely::communication::allocator::zero_copy::stream::Stream for DataStream {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(DataStream::new(self.stream.try_clone()?, Arc::clone(&self.control)))
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.stream.set_nonblocking(nonblocking)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        // The connection may be closed already.
        let _ = self.stream.shutdown(how);
        Ok(())
    }
}
