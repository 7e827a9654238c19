//! Wraps an SDK that calls you back from its own thread, without async.
//!
//! ```text
//! cargo run --example callback
//! ```
//!
//! The simulated SDK reports the doors of a zoo. When the pipeline stops, a hook of `on_interrupt` shuts the SDK down.
//! The program stops the pipeline after the fourth event.

use std::io::{self, Write as _};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use pathway_io::{Pipeline, RunResult, Schema, Subject, Update, connector};

/// A simulated SDK. `listen` blocks until the socket is shut down, and calls back from another thread.
mod sdk {
    use super::{Receiver, Sender, channel, thread};

    pub enum Event {
        Opened { door: u32, by: &'static str },
        Removed { door: u32 },
    }

    pub struct Client {
        socket: Sender<()>,
        closed: Receiver<()>,
    }

    impl Client {
        pub fn connect() -> Client {
            let (socket, closed) = channel();
            Client { socket, closed }
        }

        pub fn socket(&self) -> Sender<()> {
            self.socket.clone()
        }

        pub fn listen(self, mut callback: impl FnMut(Event) + Send + 'static) {
            let caller = thread::spawn(move || {
                callback(Event::Opened { door: 1, by: "Ann" });
                callback(Event::Opened { door: 2, by: "Bob" });
                callback(Event::Opened { door: 1, by: "Cleo" });
                callback(Event::Removed { door: 2 });
            });
            let _ = self.closed.recv();
            let _ = caller.join();
        }
    }
}

#[derive(Schema)]
struct Door {
    #[schema(primary_key)]
    number: u32,
    opened_by: String,
}

struct Doors;

#[connector(name = "doors", autocommit = off)]
impl Doors {
    fn run(&mut self, doors: Subject<Door>) -> RunResult {
        let client = sdk::Client::connect();
        let socket = client.socket();
        // The hook is called from another thread, after the subjects are closed.
        doors.on_interrupt(move || socket.send(()));
        client.listen(move |event| {
            let pushed = match event {
                sdk::Event::Opened { door, by } => doors.next(Door { number: door, opened_by: by.into() }),
                sdk::Event::Removed { door } => doors.remove(door),
            };
            // After a stop, a push returns `Closed`. The callback can ignore it, because the hook ends `listen`.
            let _ = pushed.and_then(|()| doors.commit());
        });
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let pipeline = Pipeline::new();
    let doors = pipeline.read(Doors);
    let stop = pipeline.stop_handle();
    doors.subscribe(move |update: &Update<Door>| {
        let Door { number, opened_by } = &update.row;
        // `println!` would panic if standard output is closed.
        let is_closed = writeln!(io::stdout(), "{:+} door {number} {opened_by}", update.diff).is_err();
        if is_closed || *number == 2 && !update.is_addition() {
            stop.stop();
        }
    });
    pipeline.run()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    pathway_io::connector_tests! { doors: Doors, endless, after 4 rows }
}
