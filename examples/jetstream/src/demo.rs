//! A local Jetstream server, so that the example runs without a network. It replays `events.jsonl`, which was written
//! for this program, without end. In each round the events have later times and new keys.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{self, Message};

const EVENTS: &str = include_str!("../events.jsonl");
/// The pause between two events. In the recording, events are about a second apart.
const PACE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 10 });

/// Starts the server on a free local port, and returns its URL.
///
/// # Errors
///
/// If no port can be opened, or if the recording is not valid JSON.
pub fn serve() -> io::Result<String> {
    let events = recorded()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("ws://{}/subscribe", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let events = events.clone();
            // The thread ends when the client disconnects. Its error does not end the server.
            thread::spawn(move || replay(stream, &events));
        }
    });
    Ok(url)
}

/// An event, with its time and its key.
#[derive(Clone)]
struct Recorded {
    time_us: u64,
    rkey: String,
    event: Value,
}

fn recorded() -> io::Result<Vec<Recorded>> {
    let read = |line: &str| {
        let event: Value = serde_json::from_str(line)?;
        let rkey = event["commit"]["rkey"].as_str().unwrap_or_default().to_owned();
        Ok(Recorded { time_us: event["time_us"].as_u64().unwrap_or(0), rkey, event })
    };
    EVENTS.lines().map(read).collect()
}

fn replay(stream: TcpStream, events: &[Recorded]) -> Result<(), Box<tungstenite::Error>> {
    let mut cursor = 0_u64;
    #[expect(clippy::result_large_err, reason = "the error's type is the library's")]
    let read_cursor = |request: &Request, response: Response| {
        let query = request.uri().query().unwrap_or_default();
        let found = query.split('&').find_map(|part| part.strip_prefix("cursor=")?.parse().ok());
        cursor = found.unwrap_or(0);
        Ok(response)
    };
    let mut socket = tungstenite::accept_hdr(stream, read_cursor)
        .map_err(|error| tungstenite::Error::Io(io::Error::other(error.to_string())))?;
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    let length = last.time_us - first.time_us + 1_000_000;
    for round in cursor.saturating_sub(first.time_us) / length.. {
        for Recorded { time_us, rkey, event } in events {
            let time_us = time_us + round * length;
            if time_us < cursor {
                continue;
            }
            let mut event = event.clone();
            event["time_us"] = time_us.into();
            event["commit"]["rkey"] = format!("{rkey}-{round}").into();
            socket.send(Message::text(event.to_string())).map_err(Box::new)?;
            thread::sleep(PACE);
        }
    }
    Ok(())
}
