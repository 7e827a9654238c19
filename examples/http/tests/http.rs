//! Runs the example with its own server, and with a test server that limits requests, fails and refuses.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use support::{Program, fresh_dir, records};

fn start(dir: &Path, args: &[&str]) -> Program {
    Program::spawn(Command::new(env!("CARGO_BIN_EXE_example-http")).current_dir(dir).args(args))
}

/// A server for which the test answers each request.
struct Server(TcpListener);

impl Server {
    fn new() -> Self {
        Server(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    fn url(&self) -> String {
        format!("http://{}/releases", self.0.local_addr().expect("it is bound"))
    }

    /// Returns the path of the next request, and its connection.
    fn request(&self) -> (String, TcpStream) {
        let (stream, _) = self.0.accept().expect("a client");
        let mut lines = BufReader::new(&stream).lines().map(|line| line.expect("a request"));
        let head = lines.next().expect("a request");
        while lines.next().is_some_and(|line| !line.is_empty()) {}
        let path = head.split(' ').nth(1).expect("a path").to_owned();
        (path, stream)
    }

    /// Answers the next request, which must have this cursor.
    #[track_caller]
    fn answer(&self, after: u64, head: &str, body: &str) {
        let (path, stream) = self.request();
        assert_eq!(path, format!("/releases?after={after}"));
        let length = body.len();
        write!(&stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .expect("the client reads");
    }
}

const FIRST: &str = r#"{"items": [{"id": 1, "package": "felis", "version": "0.1"}, {"id": 2, "package": "lynx", "version": "0.2"}], "next": 2}"#;
const SECOND: &str = r#"{"items": [{"id": 1, "package": "felis", "version": "0.3"}], "next": 3}"#;

#[test]
fn limits_and_failures_of_the_server_lose_and_repeat_nothing() {
    let dir = fresh_dir("http");
    let server = Server::new();
    let url = server.url();
    let args = ["--url", &url, "--pages", "1", "--state", "state"];
    let program = start(&dir, &args);
    server.answer(0, "429 Too Many Requests\r\nRetry-After: 0", "");
    server.answer(0, "500 Internal Server Error", "");
    drop(server.request());
    server.answer(0, "200 OK", r#"{"items": [], "next": 0}"#);
    server.answer(0, "200 OK", FIRST);
    let end = program.end().succeeded();
    assert!(end.stdout.contains("releases: 2 rows in 1 commit") && end.stdout.contains(", 3 attempts"), "{end:#?}");
    // The restart asks for the items after the page.
    let program = start(&dir, &args);
    server.answer(2, "200 OK", SECOND);
    program.end().succeeded();
    let rows = records(&dir.join("releases.csv"));
    assert_eq!(rows, ["id,package,version,diff", "1,felis,0.1,1", "2,lynx,0.2,1", "1,felis,0.1,-1", "1,felis,0.3,1"]);
}

#[test]
fn permanent_errors_are_not_retried() {
    let dir = fresh_dir("http-refused");
    let server = Server::new();
    let url = server.url();
    let program = start(&dir, &["--url", &url]);
    server.answer(0, "404 Not Found", "");
    let end = program.end().failed();
    assert!(end.stderr.contains("connector `releases`") && end.stderr.contains("404"), "{end:#?}");
    let end = start(&dir, &["--url", "releases"]).end().failed();
    assert!(end.stderr.contains("connector `releases`"), "{end:#?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_drops_the_request() {
    let dir = fresh_dir("http-interrupt");
    let server = Server::new();
    let url = server.url();
    let program = start(&dir, &["--url", &url]);
    // This request is never answered.
    let (_, _silent) = server.request();
    program.interrupt();
    let end = program.end().succeeded();
    assert!(end.stdout.contains("stopped by SIGINT"), "{end:#?}");
}

#[test]
fn without_arguments_it_polls_its_own_server() {
    let dir = fresh_dir("http-demo");
    start(&dir, &["--pages", "6"]).end().succeeded();
    let rows = records(&dir.join("releases.csv"));
    for (id, row) in rows.iter().enumerate().skip(1) {
        assert!(row.starts_with(&format!("{id},")), "{rows:?}");
    }
    assert!(rows.len() > 6, "{rows:?}");
}

/// The test server has no trusted certificate, so the test only checks that the client begins a TLS handshake.
#[cfg(unix)]
#[test]
fn https_speaks_tls() {
    use std::io::Read;
    let dir = fresh_dir("http-tls");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("https://localhost:{}/", listener.local_addr().expect("it is bound").port());
    let program = start(&dir, &["--url", &url]);
    let (mut stream, _) = listener.accept().expect("the client comes");
    let mut hello = [0; 6];
    stream.read_exact(&mut hello).expect("a greeting");
    assert_eq!((hello[0], hello[5]), (22, 1), "a handshake record with a client hello");
    program.interrupt();
    program.end().succeeded();
}
