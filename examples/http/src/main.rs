//! A paginated JSON API as a table that is kept up to date: [`Releases`], a connector around `reqwest`.
//!
//! ```text
//! cargo run -p example-http
//! cargo run -p example-http -- --state state releases.csv
//! cargo run -p example-http -- --url https://example.com/releases --pages 3
//! ```
//!
//! Without `--url`, the program polls its own server, which publishes releases and limits the rate of requests. With
//! `--pages N` the program ends after `N` pages; otherwise it runs until Ctrl-C.
//!
//! - The API returns the items after a cursor, page by page: `GET {url}?after=17` returns
//!   `{"items": [..], "next": 25}`. If there is nothing new, `items` is empty.
//! - Each page is one transaction, and the cursor after it is the offset. With `--state DIRECTORY`, a restart continues
//!   after the last page in the file. The file never has a part of a page.
//! - If the server limits the rate (429) or is overloaded (503), the source waits for the time in `Retry-After`. After
//!   other failures of the server or the network, the pipeline calls `run` again ([`Restart`]). An error that no other
//!   attempt can fix, such as a wrong address, is marked with [`Error::fatal`](pathway_io::Error::fatal).
//! - A stop drops the future of `run` while it waits for a response or sleeps.

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
/// The pause before the next request if there was nothing new.
const INTERVAL: Duration = Duration::from_millis(500);
/// The pause for a server that limits requests and sends no `Retry-After`.
const PAUSE: Duration = Duration::from_secs(1);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// A release of a package.
#[derive(Schema, Deserialize)]
struct Release {
    #[schema(primary_key)]
    id: u64,
    package: String,
    version: String,
}

/// A response of the API.
#[derive(Deserialize)]
struct Page {
    items: Vec<Release>,
    /// The cursor after the items.
    next: u64,
}

/// The connector.
struct Releases {
    url: String,
    /// The number of pages that are still to be read.
    pages: u64,
}

#[connector(name = "releases", autocommit = "100ms")]
impl Releases {
    async fn run(&mut self, releases: AsyncSubject<Release, u64>) -> RunResult {
        let client = client()?;
        let mut after = releases.resume().unwrap_or(0);
        while self.pages > 0 {
            let response = client.get(self.address(after)).send().await.map_err(failure)?;
            if let Some(pause) = pause(&response) {
                releases.sleep(pause).await?;
                continue;
            }
            let body = response.error_for_status().map_err(failure)?.bytes().await?;
            let page: Page = serde_json::from_slice(&body).map_err(|error| format!("invalid page: {error}"))?;
            if page.items.is_empty() {
                releases.sleep(INTERVAL).await?;
                continue;
            }
            let transaction = releases.transaction();
            for release in page.items {
                transaction.next(release)?;
            }
            transaction.commit_at(page.next).await?;
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
    Ok(Client::builder().tls_backend_preconfigured(config).timeout(RESPONSE_TIMEOUT).build()?)
}

/// Returns the pause before the request is repeated, if the server limits requests or is overloaded.
fn pause(response: &Response) -> Option<Duration> {
    let is_busy = matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let seconds = response.headers().get("retry-after").and_then(|after| after.to_str().ok()?.parse().ok());
    is_busy.then(|| seconds.map_or(PAUSE, Duration::from_secs))
}

/// Marks an error as fatal if another attempt would fail in the same way.
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
    // Standard output may be closed. The rows are in the file nevertheless.
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
