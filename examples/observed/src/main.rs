//! Serves the state of a running pipeline: as metrics for Prometheus (`/metrics`), and as a page that refreshes itself
//! (`/`).
//!
//! ```sh
//! cargo run -p example-observed -- 127.0.0.1:9100
//! ```
//!
//! Open <http://127.0.0.1:9100/> in a browser, and end the program with Ctrl-C.

mod page;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use pathway_io::monitor::Monitor;
use pathway_io::{Pipeline, ReadOptions, RunResult, Schema, Subject, connector};

#[derive(Schema)]
struct Reading {
    #[schema(primary_key)]
    sensor: u64,
    celsius: f64,
}

/// A source that pushes about a hundred readings per second, without end.
struct Sensors;

#[connector(name = "sensors", autocommit = "200ms")]
impl Sensors {
    fn run(&mut self, readings: Subject<Reading, u64>) -> RunResult {
        for n in readings.resume().unwrap_or(0).. {
            readings.next_at(n + 1, Reading { sensor: n % 10, celsius: 20.0 + (n % 7) as f64 })?;
            readings.sleep(Duration::from_millis(10))?;
        }
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:9100".into());
    let (Ok(address), None) = (address.into_string(), args.next()) else {
        return Err(std::io::Error::other("usage: example-observed [ADDRESS]").into());
    };
    let metrics = PrometheusBuilder::new().install_recorder().map_err(std::io::Error::other)?;
    let pipeline = Pipeline::new();
    let readings = pipeline.read_with(Sensors, ReadOptions::new().idle(Duration::from_secs(60)));
    readings.subscribe(|_| {});
    let monitor = pipeline.monitor();
    let listener = TcpListener::bind(&address).map_err(|error| std::io::Error::other(format!("{address}: {error}")))?;
    let _ = writeln!(std::io::stdout(), "http://{}/", listener.local_addr()?);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // An error of one connection does not end the server: a client may disconnect at any time.
            let _ = answer(&client, &monitor, &metrics);
        }
    });
    let summary = pipeline.run()?;
    // Standard output may be closed.
    let _ = writeln!(std::io::stdout(), "{summary}");
    Ok(())
}

fn answer(client: &TcpStream, monitor: &Monitor, metrics: &PrometheusHandle) -> std::io::Result<()> {
    // A client that sends nothing must not block the others.
    client.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut request = String::new();
    BufReader::new(client).read_line(&mut request)?;
    let (status, kind, body) = match request.split(' ').nth(1) {
        Some("/") => ("200 OK", "text/html; charset=utf-8", page::html(&monitor.snapshot())),
        Some("/metrics") => {
            monitor.record();
            ("200 OK", "text/plain; version=0.0.4", metrics.render())
        }
        _ => ("404 Not Found", "text/plain", "try / or /metrics\n".to_owned()),
    };
    let length = body.len();
    let mut client = client;
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    pathway_io::connector_tests! { sensors: Sensors, endless, after 5 rows }
}
