//! A WebSocket whose every wait has an end: by a time limit, or by a [`TcpStream`] that somebody shuts down.

use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use tungstenite::error::UrlError;
use tungstenite::http::Uri;
use tungstenite::stream::{MaybeTlsStream, Mode};
use tungstenite::{Error, HandshakeError, WebSocket};

/// Half of the grace that a source has after a stop: a connection attempt cannot be cut short.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The whole network is never silent for that long; a connection that is has died without a word.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);

pub type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// Connects, but does not speak yet.
pub fn connect(url: &str) -> Result<TcpStream, Error> {
    let url: Uri = url.parse()?;
    let mode = tungstenite::client::uri_mode(&url)?;
    let host = url.host().ok_or(Error::Url(UrlError::NoHostName))?;
    let port = url.port_u16().unwrap_or(match mode {
        Mode::Plain => 80,
        Mode::Tls => 443,
    });
    let mut failure = io::Error::new(ErrorKind::NotFound, "the name has no address");
    // An address of IPv6 stands in brackets in a URL.
    for address in (host.trim_matches(['[', ']']), port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_LIMIT) {
            Ok(stream) => {
                stream.set_read_timeout(Some(SILENCE_LIMIT))?;
                stream.set_write_timeout(Some(SILENCE_LIMIT))?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure.into())
}

/// Shakes hands: TLS where the URL says `wss`, then WebSocket.
pub fn open(url: &str, stream: TcpStream) -> Result<Socket, Error> {
    match tungstenite::client_tls(url, stream) {
        Ok((socket, _response)) => Ok(socket),
        Err(HandshakeError::Failure(error)) => Err(error),
        Err(HandshakeError::Interrupted(_)) => Err(io::Error::from(ErrorKind::TimedOut).into()),
    }
}

/// Whether it would fail in the same way the next time: the URL is wrong, or the server refuses the request.
pub fn is_final(error: &Error) -> bool {
    match error {
        Error::Url(_) | Error::HttpFormat(_) => true,
        Error::Http(response) => response.status().is_client_error() && response.status().as_u16() != 429,
        _ => false,
    }
}
