//! A server that speaks Jetstream's frames, for a first look without a network: invented posts and likes, one every few
//! milliseconds, and now and then a delete.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::event::{LIKES, POSTS};

/// Starts it on a free port of this machine, and returns its address.
///
/// # Errors
///
/// That of the system, if it has no port.
pub fn serve() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("ws://{}/subscribe", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // It ends when the client disconnects, which does not fail the server.
            thread::spawn(move || talk(stream));
        }
    });
    Ok(url)
}

fn talk(stream: TcpStream) -> Result<(), Box<tungstenite::Error>> {
    let mut socket =
        tungstenite::accept(stream).map_err(|error| tungstenite::Error::Io(io::Error::other(error.to_string())))?;
    for n in 1_u64.. {
        let (collection, key) = if n % 3 == 0 { (LIKES, n / 3) } else { (POSTS, n) };
        let created_at = "2026-01-02T03:04:05Z";
        let record = match collection {
            LIKES => json!({"subject": {"uri": format!("at://did:plc:dog/{POSTS}/{n}")}, "createdAt": created_at}),
            _ => json!({"text": format!("post number {n}"), "createdAt": created_at, "langs": ["en"]}),
        };
        let (operation, key, record) = match (collection, n % 10) {
            (POSTS, 0) => ("delete", key - 6, None),
            _ => ("create", key, Some(record)),
        };
        let did = format!("did:plc:cat{}", key % 7);
        let mut commit = json!({"operation": operation, "collection": collection, "rkey": key.to_string()});
        if let Some(record) = record {
            commit["record"] = record;
        }
        let event = json!({"did": did, "time_us": n, "kind": "commit", "commit": commit});
        socket.send(Message::text(event.to_string())).map_err(Box::new)?;
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
