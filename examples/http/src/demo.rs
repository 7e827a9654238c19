//! A local server, so that the example runs without a network. It publishes a release every 5 ms, returns at most eight
//! releases per page, and refuses every fifth request with status 429.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

/// The time between two releases.
const INTERVAL: Duration = Duration::from_millis(5);
const PAGE_SIZE: u64 = 8;
const PACKAGES: [&str; 3] = ["felis", "lynx", "puma"];

/// Starts the server on a free local port, and returns its URL.
///
/// # Errors
///
/// If no port can be opened.
pub fn serve() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/releases", listener.local_addr()?);
    let started = Instant::now();
    thread::spawn(move || {
        for (request, stream) in listener.incoming().flatten().enumerate() {
            // An error of one connection does not end the server: a client may disconnect at any time.
            let _ = answer(stream, request, started);
        }
    });
    Ok(url)
}

fn answer(stream: TcpStream, request: usize, started: Instant) -> io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let head = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let after =
        head.split_once("after=").and_then(|(_, rest)| rest.split([' ', '&']).next()?.parse().ok()).unwrap_or(0);
    let (status, body) = if request % 5 == 4 {
        ("429 Too Many Requests\r\nRetry-After: 0", String::new())
    } else {
        ("200 OK", page(after, (started.elapsed().as_micros() / INTERVAL.as_micros()) as u64))
    };
    let length = body.len();
    write!(
        &stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Returns the releases after a cursor, up to the number `last`.
fn page(after: u64, last: u64) -> String {
    let next = last.min(after + PAGE_SIZE).max(after);
    let items: Vec<_> = (after + 1..=next)
        .map(|id| json!({"id": id, "package": PACKAGES[(id % 3) as usize], "version": format!("0.{}.{}", id / 10, id % 10)}))
        .collect();
    json!({"items": items, "next": next}).to_string()
}
