//! A paginated JSON API as a table that is kept up to date: [`Releases`], a connector around `reqwest`.
//!
//! ```text
//! cargo run -p example-http
//! cargo run -p example-http -- --state state releases.csv
//! cargo run -p example-http -- --url https://example.com/releases --pages 3
//! ```
//!
//! Without `--url` it polls a server of this program's own, which publishes a release every now and then and limits the rate of
//! requests. `--pages N` ends after so many pages; otherwise it runs until Ctrl-C.
//!
//! - The API returns at most so many items behind a cursor: `GET {url}?after=17` returns `{"items": [..], "next": 25}`, and no items
//!   where there is nothing new.
//! - A page is one transaction, and its cursor the offset. With `--state DIRECTORY` a restart goes on behind the last page that is
//!   in the file, and a page is there as a whole or not at all.
//! - A rate limit (429) and a server that is overloaded (503) say with `Retry-After` when to come again. Other failures of the
//!   server and of the network are tried again by the pipeline ([`Restart`]). What no second try can fix, such as a wrong address,
//!   is marked with [`Error::fatal`](pathway_io::Error::fatal).
//! - A stop drops `run` where it waits: for an answer, or for the time to come again.

mod demo;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pathway_io::{AsyncSubject, Error, Pipeline, ReadOptions, Restart, RunResult, Schema, connector, csv};
use reqwest::{Client, Response, StatusCode};
use rustls::{ClientConfig, RootCertStore, crypto};
use serde::Deserialize;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: example-http [--url URL] [--pages N] [--state DIRECTORY] [RELEASES.csv]";
/// How often the API is asked for more where there was nothing new.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long a server that is overloaded is left alone where it does not say so itself.
const PAUSE: Duration = Duration::from_secs(1);
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A release of a package.
#[derive(Schema, Deserialize)]
struct Release {
    #[schema(primary_key)]
    id: u64,
    package: String,
    version: String,
}

/// What the API returns.
#[derive(Deserialize)]
struct Page {
    items: Vec<Release>,
    /// The cursor behind the items.
    next: u64,
}

/// The connector.
struct Releases {
    url: String,
    /// How many more pages it reads.
    pages: u64,
}

#[connector(name = "releases", autocommit = "100ms")]
impl Releases {
    async fn run(&mut self, releases: AsyncSubject<Release, u64>) -> RunResult {
        let client = client()?;
        let mut after = releases.resume().unwrap_or(0);
        while self.pages > 0 {
            let answer = client.get(self.address(after)).send().await.map_err(failure)?;
            if let Some(pause) = pause(&answer) {
                releases.sleep(pause).await?;
                continue;
            }
            let body = answer.error_for_status().map_err(failure)?.bytes().await?;
            let page: Page = serde_json::from_slice(&body).map_err(|error| format!("no page of releases: {error}"))?;
            if page.items.is_empty() {
                releases.sleep(INTERVAL).await?;
                continue;
            }
            let unit = releases.transaction();
            for release in page.items {
                unit.next(release)?;
            }
            unit.commit_at(page.next).await?;
            after = page.next;
            self.pages -= 1;
        }
        Ok(())
    }
}

impl Releases {
    fn address(&self, after: u64) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}after={after}", self.url)
    }
}

fn client() -> Result<Client, BoxError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Client::builder().tls_backend_preconfigured(config).timeout(ANSWER_LIMIT).build()?)
}

/// How long to wait before the same request is made again, if the server has asked for that.
fn pause(answer: &Response) -> Option<Duration> {
    let is_busy = matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let seconds = answer.headers().get("retry-after").and_then(|after| after.to_str().ok()?.parse().ok());
    is_busy.then(|| seconds.map_or(PAUSE, Duration::from_secs))
}

/// A failure that a second try would meet as well is marked, so that there is none.
fn failure(error: reqwest::Error) -> BoxError {
    let is_refused = error.status().is_some_and(|status| status.is_client_error());
    if error.is_builder() || is_refused { Error::fatal(error).into() } else { error.into() }
}

fn main() -> pathway_io::Result<()> {
    let args = Args::parse()?;
    let pipeline = match &args.state {
        Some(directory) => Pipeline::persistent(directory)?,
        None => Pipeline::new(),
    };
    pipeline.progress(true);
    let restart = Restart::backoff(Duration::from_millis(200)..Duration::from_secs(30)).attempts(10);
    let source = Releases { url: args.url, pages: args.pages };
    let releases = pipeline.read_with(source, ReadOptions::new().restart(restart));
    csv::write(&releases, &args.output);
    let summary = pipeline.run()?;
    // Whoever read this may have closed the other end. The rows are written all the same.
    let _ = writeln!(std::io::stdout(), "{summary}");
    let _ = writeln!(std::io::stdout(), "the releases are in {}", args.output.display());
    Ok(())
}

struct Args {
    url: String,
    pages: u64,
    state: Option<PathBuf>,
    output: PathBuf,
}

impl Args {
    fn parse() -> Result<Self, BoxError> {
        let (mut url, mut state, mut output) = (None, None, None);
        let mut pages = u64::MAX;
        let mut args = std::env::args_os().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(USAGE);
            match arg.to_str() {
                Some("--url") => url = Some(value()?.into_string().map_err(|_| USAGE)?),
                Some("--pages") => pages = value()?.to_str().and_then(|n| n.parse().ok()).ok_or(USAGE)?,
                Some("--state") => state = Some(value()?.into()),
                Some(option) if option.starts_with('-') => return Err(USAGE.into()),
                _ if output.is_some() => return Err(USAGE.into()),
                _ => output = Some(arg.into()),
            }
        }
        let url = url.map_or_else(demo::serve, Ok)?;
        Ok(Args { url, pages, state, output: output.unwrap_or_else(|| "releases.csv".into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn releases() -> Releases {
        Releases { url: demo::serve().expect("a free port"), pages: u64::MAX }
    }

    pathway_io::connector_tests! { against_the_demo: releases(), endless, after 20 rows }
}
