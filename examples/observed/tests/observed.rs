//! The program serves metrics and a page, which a browser shows.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest wait, which only a hang can reach.
const DEADLINE: Duration = Duration::from_secs(30);

/// The program, which is killed at the end of the test.
struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_example-observed"))
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("its address");
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        Program { child, address }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        write!(stream, "GET {path} HTTP/1.1\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    /// Repeats the request until the response is as expected.
    fn until(&self, path: &str, holds: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let answer = self.get(path);
            if holds(&answer) {
                return answer;
            }
            assert!(began.elapsed() < DEADLINE, "{answer}");
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // If the program has ended already, the call fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the value of a metric, by its name and labels.
fn metric(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[test]
fn serves_metrics_and_a_page() {
    let program = Program::start();
    let rows = |text: &str| metric(text, "pathway_source_rows_total{source=\"sensors\"}").unwrap_or(0.0);
    let first = rows(&program.until("/metrics", |text| rows(text) > 0.0));
    // The number of rows grows.
    let text = program.until("/metrics", |text| rows(text) > first);
    assert_eq!(metric(&text, "pathway_source_state{source=\"sensors\",state=\"running\"}"), Some(1.0), "{text}");
    assert!(metric(&text, "pathway_sink_lag_seconds{sink=\"sensors\"}").is_some(), "{text}");
    let page = program.get("/");
    assert!(page.contains("http-equiv=\"refresh\"") && page.contains("<td>sensors</td><td>running</td>"), "{page}");
    assert!(program.get("/else").starts_with("HTTP/1.1 404"));
}

#[test]
fn a_browser_shows_the_page() {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok());
    let Some(browser) = found else {
        eprintln!("skipped: no Chromium (Debian: apt-get install chromium)");
        return;
    };
    let program = Program::start();
    program.until("/", |page| page.contains("<td>running</td>"));
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .arg(format!("http://{}/", program.address))
        .output()
        .expect("the browser runs");
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(dom.contains("<td>sensors</td>") && dom.contains("id=\"sinks\""), "{dom}");
}

#[cfg(unix)]
#[test]
fn an_address_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStrExt;

    let address = std::ffi::OsStr::from_bytes(b"127.0.0.1:\xff");
    let output =
        Command::new(env!("CARGO_BIN_EXE_example-observed")).arg(address).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("usage: example-observed"));
}

#[test]
fn an_address_that_is_taken_is_named() {
    let program = Program::start();
    let second = Command::new(env!("CARGO_BIN_EXE_example-observed")).arg(&program.address).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&second.stderr);
    assert!(stderr.starts_with(&format!("Error: {}: ", program.address)), "{stderr}");
}
