//! A connector around an async client.
//!
//! ```text
//! cargo run -p example-tokio
//! cargo run -p example-tokio -- --trades 5000
//! ```
//!
//! `run` is an `async fn`, on a runtime of the connector's own thread. It pushes each trade with `next(..).await`,
//! which waits while the backlog is full. The client's own flow control then slows down the exchange.
//!
//! A callback must not wait, because it would block the runtime. It pushes with `try_next`, and decides what to do when
//! the backlog is full. Here it drops and counts the quote, because a newer quote replaces it soon.
//!
//! A stop needs no code: the library drops the future of `run` at its `.await`, and the session with it.

mod sdk;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pathway_io::{AsyncSubject, Pipeline, RunResult, Schema, TryNextError, connector, csv};

const USAGE: &str = "usage: example-tokio [--trades N] [TRADES.csv] [QUOTES.csv]";

/// A sale.
#[derive(Schema)]
struct Trade {
    id: u64,
    symbol: String,
    cents: i64,
}

/// The latest quote of a symbol.
#[derive(Schema)]
struct Quote {
    #[schema(primary_key)]
    symbol: String,
    bid_cents: i64,
    ask_cents: i64,
}

struct Exchange {
    /// The number of trades after which the exchange closes.
    trades: u64,
    /// The number of quotes that were dropped because the backlog was full.
    dropped: Arc<AtomicU64>,
}

#[connector(autocommit = "100ms")]
impl Exchange {
    async fn run(&mut self, trades: AsyncSubject<Trade>, quotes: AsyncSubject<Quote>) -> RunResult {
        let mut client = sdk::Client::connect(self.trades).await;
        let dropped = Arc::clone(&self.dropped);
        let _subscription = client.on_quote(move |sdk::Quote { symbol, bid_cents, ask_cents }| {
            match quotes.try_next(Quote { symbol: symbol.to_owned(), bid_cents, ask_cents }) {
                Ok(()) => {}
                Err(TryNextError::Full(_)) => {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
                // `run` is about to end, which drops the subscription.
                Err(TryNextError::Closed(_)) => {}
            }
        });
        while let Some(sdk::Trade { id, symbol, cents }) = client.next_trade().await {
            trades.next(Trade { id, symbol: symbol.to_owned(), cents }).await?;
        }
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let (limit, trades_path, quotes_path) = parse_args()?;
    let dropped = Arc::new(AtomicU64::new(0));
    let pipeline = Pipeline::new();
    pipeline.progress(true);
    let (trades, quotes) = pipeline.read(Exchange { trades: limit, dropped: Arc::clone(&dropped) });
    csv::write(&trades, &trades_path);
    csv::write(&quotes, &quotes_path);
    let summary = pipeline.run()?;
    // Standard output may be closed. The rows are in the files nevertheless.
    let _ = writeln!(std::io::stdout(), "{summary}");
    let _ = writeln!(
        std::io::stdout(),
        "{} quotes were dropped because the backlog was full",
        dropped.load(Ordering::Relaxed)
    );
    let _ = writeln!(
        std::io::stdout(),
        "the trades are in {}, the quotes in {}",
        trades_path.display(),
        quotes_path.display()
    );
    Ok(())
}

fn parse_args() -> Result<(u64, PathBuf, PathBuf), Box<dyn std::error::Error + Send + Sync>> {
    let mut trades = u64::MAX;
    let mut paths = Vec::new();
    let mut args = std::env::args_os().skip(1);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--trades") => {
                trades = args.next().as_ref().and_then(|n| n.to_str()?.parse().ok()).ok_or(USAGE)?;
            }
            Some(option) if option.starts_with('-') => return Err(USAGE.into()),
            _ => paths.push(PathBuf::from(arg)),
        }
    }
    let mut paths = paths.into_iter();
    let trades_path = paths.next().unwrap_or_else(|| "trades.csv".into());
    let quotes_path = paths.next().unwrap_or_else(|| "quotes.csv".into());
    match paths.next() {
        None => Ok((trades, trades_path, quotes_path)),
        Some(_) => Err(USAGE.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an exchange with one trade more in each run.
    ///
    /// The number of quotes depends on time. If two runs had equal quotes by chance, the suite would expect them in all
    /// other runs, too. Runs with different trades are not compared.
    fn exchange() -> Exchange {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Exchange { trades: 40 + MADE.fetch_add(1, Ordering::Relaxed), dropped: Arc::default() }
    }

    pathway_io::connector_tests! { exchange: exchange(), ends }
}
