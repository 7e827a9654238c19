//! A Jetstream server for tests.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde_json::{Value, json};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::{Message, WebSocket};

use crate::support;

pub type Connection = WebSocket<TcpStream>;

/// Starts a server. Returns its URL, and a receiver of its connections, each with the query of its request.
pub fn serve() -> (String, Receiver<(String, Connection)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/subscribe", listener.local_addr().expect("it is bound"));
    let (sender, connections) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            if !accept(stream, &sender) {
                return;
            }
        }
    });
    (url, connections)
}

fn accept(stream: TcpStream, to: &Sender<(String, Connection)>) -> bool {
    let mut query = String::new();
    #[expect(clippy::result_large_err, reason = "the error's type is the library's")]
    let read_query = |request: &Request, response: Response| {
        query = request.uri().query().unwrap_or_default().to_owned();
        Ok(response)
    };
    let connection = tungstenite::accept_hdr(stream, read_query).expect("a client that speaks WebSocket");
    to.send((query, connection)).is_ok()
}

pub fn next(connections: &Receiver<(String, Connection)>) -> (String, Connection) {
    connections.recv_timeout(support::DEADLINE).expect("a connection before the deadline")
}

pub fn send(connection: &mut Connection, event: &Value) {
    connection.send(Message::text(event.to_string())).expect("the client reads");
}

/// Sends 50 of the 200 bytes of a frame, and closes the connection.
pub fn tear(connection: Connection) {
    let mut stream = connection.get_ref();
    stream.write_all(&[0x81, 126, 0, 200]).expect("the client reads");
    stream.write_all(&[b'{'; 50]).expect("the client reads");
}

pub fn commit(time_us: u64, operation: &str, collection: &str, rkey: &str, record: Option<Value>) -> Value {
    let mut commit = json!({"rev": "3l3qo2vutsw2b", "operation": operation, "collection": collection, "rkey": rkey});
    if let Some(record) = record {
        commit["record"] = record;
        commit["cid"] = "bafyreidwaivazkwu67xztlmuobx35hs2lnfh3kolmgfmucldvhd3sgzcqi".into();
    }
    json!({"did": "did:plc:cat", "time_us": time_us, "kind": "commit", "commit": commit})
}

pub const POSTS: &str = "app.bsky.feed.post";
pub const LIKES: &str = "app.bsky.feed.like";

pub fn post(text: &str) -> Option<Value> {
    Some(json!({"$type": POSTS, "createdAt": "2026-01-02T03:04:05Z", "langs": ["en"], "text": text,
        "facets": [{"index": {"byteStart": 0}}]}))
}

pub fn like(uri: &str) -> Option<Value> {
    Some(json!({"$type": LIKES, "createdAt": "2026-01-02T03:04:06Z", "subject": {"cid": "bafy", "uri": uri}}))
}
