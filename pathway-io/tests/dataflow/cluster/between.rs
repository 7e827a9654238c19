//! A proxy between two processes, which can delay or cut their connections.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::{Cluster, hosts};
use crate::common::TempDir;

/// A proxy between a process and one with a lower number.
pub struct Between {
    address: String,
    /// The data connections, as they arrive.
    pub data: Receiver<TcpStream>,
}

impl Between {
    /// Forwards to `to`, and delays the control messages of the earlier process by `delay`.
    fn of(to: String, delay: Duration) -> Self {
        use std::io::{Read, Write};
        use std::net::Shutdown;

        /// "pathway1" and a nonce.
        const HELLO: usize = 40;
        /// The process number, the kind of connection and three more numbers, then a proof.
        const GREETING: usize = 72;

        /// Forwards one message of the greeting.
        fn pass<const N: usize>(from: &mut TcpStream, to: &mut TcpStream) -> std::io::Result<[u8; N]> {
            let mut message = [0; N];
            from.read_exact(&mut message)?;
            to.write_all(&message)?;
            Ok(message)
        }

        fn forward(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
            let mut bytes = [0; 4096];
            // A peer that has gone has closed both directions.
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                thread::sleep(delay);
                if to.write_all(&bytes[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        }

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, data) = channel();
        thread::spawn(move || {
            for mut later in listener.incoming().flatten() {
                let Ok(mut earlier) = TcpStream::connect(&to) else { continue };
                let greeted = pass::<HELLO>(&mut later, &mut earlier)
                    .and_then(|_| pass::<HELLO>(&mut earlier, &mut later))
                    .and_then(|_| pass::<GREETING>(&mut later, &mut earlier));
                let Ok(greeting) = greeted else { continue };
                let is_for_words = greeting[15] == 1;
                // The answer is one byte, and again a greeting.
                if pass::<{ GREETING + 1 }>(&mut earlier, &mut later).is_err() {
                    continue;
                }
                if !is_for_words {
                    // The send fails if the test is already over.
                    let _ = sender.send(later.try_clone().unwrap());
                }
                let delay = if is_for_words { delay } else { Duration::ZERO };
                let lines = (later.try_clone().unwrap(), earlier.try_clone().unwrap());
                thread::spawn(move || forward(earlier, later, delay));
                thread::spawn(move || forward(lines.0, lines.1, Duration::ZERO));
            }
        });
        Between { address, data }
    }
}

/// Starts two processes with a proxy between them.
pub fn pair(program: &str, delay: Duration) -> (Cluster, Between) {
    let dir = TempDir::new();
    let direct = hosts(&dir, 2);
    let addresses = fs::read_to_string(&direct).unwrap();
    let (first, second) = addresses.trim_end().split_once('\n').unwrap();
    let between = Between::of(first.to_owned(), delay);
    let indirect = dir.path("indirect.txt");
    fs::write(&indirect, format!("{}\n{second}\n", between.address)).unwrap();
    let hosts = move |process| if process == 0 { direct.clone() } else { indirect.clone() };
    (Cluster::start_at(dir, &[program; 2], 1, hosts), between)
}
