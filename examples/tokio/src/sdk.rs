//! A simulated async SDK: the client of an exchange that sends trades and quotes.
//!
//! The SDK does not depend on pathway-io. Its functions must be called inside a tokio runtime. Its callbacks run on the
//! runtime, so they must not block.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// The symbols that are traded.
pub const SYMBOLS: [&str; 4] = ["CAT", "LION", "LYNX", "PUMA"];

/// A sale.
pub struct Trade {
    /// The number of the trade, from 1.
    pub id: u64,
    pub symbol: &'static str,
    pub cents: i64,
}

/// The present prices of a symbol.
pub struct Quote {
    pub symbol: &'static str,
    pub bid_cents: i64,
    pub ask_cents: i64,
}

/// A session with the exchange.
pub struct Client {
    trades: mpsc::Receiver<Trade>,
}

/// A registered callback. Dropping it ends the calls.
pub struct Subscription(JoinHandle<()>);

impl Client {
    /// Opens a session, which the exchange closes after `trades` trades.
    pub async fn connect(trades: u64) -> Self {
        sleep(Duration::from_millis(20)).await;
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(async move {
            let mut clock = ticks(Duration::from_millis(1));
            for id in 1..=trades {
                clock.tick().await;
                let symbol = SYMBOLS[(id % 4) as usize];
                if sender.send(Trade { id, symbol, cents: price(id) }).await.is_err() {
                    return;
                }
            }
        });
        Client { trades: receiver }
    }

    /// Returns the next trade, or `None` at the end of the session.
    pub async fn next_trade(&mut self) -> Option<Trade> {
        self.trades.recv().await
    }

    /// Calls `callback` with each quote, from a task of the runtime.
    pub fn on_quote(&self, callback: impl Fn(Quote) + Send + 'static) -> Subscription {
        Subscription(tokio::spawn(async move {
            let mut clock = ticks(Duration::from_millis(2));
            for n in 0.. {
                clock.tick().await;
                let middle = price(n);
                callback(Quote { symbol: SYMBOLS[(n % 4) as usize], bid_cents: middle - 1, ask_cents: middle + 1 });
            }
        }))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn price(n: u64) -> i64 {
    // Varies between 90 and 110.
    9_000 + (n * 37 % 2_000) as i64
}
