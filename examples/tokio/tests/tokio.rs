//! Runs the example to its end, and until Ctrl-C.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::Command;

use support::{Program, fresh_dir, records};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_example-tokio"))
}

#[test]
fn every_trade_and_the_quotes_beside_them() {
    let dir = fresh_dir("tokio");
    let end = Program::spawn(program().args(["--trades", "300"]).current_dir(&dir)).end().succeeded();
    let trades = records(&dir.join("trades.csv"));
    assert_eq!(trades[0], "id,symbol,cents,diff");
    assert_eq!(trades.len(), 301);
    for (id, trade) in trades.iter().enumerate().skip(1) {
        assert!(trade.starts_with(&format!("{id},")) && trade.ends_with(",1"), "{trade}");
    }
    let quotes = records(&dir.join("quotes.csv"));
    assert_eq!(quotes[0], "symbol,bid_cents,ask_cents,diff");
    let current: i64 = quotes[1..].iter().map(|quote| if quote.ends_with(",-1") { -1 } else { 1 }).sum();
    assert_eq!(current, 4, "one row for each symbol: {quotes:?}");
    assert!(end.stdout.contains("\n0 quotes were dropped"), "{end:#?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_drops_the_session() {
    let dir = fresh_dir("tokio-interrupt");
    let program = Program::spawn(program().current_dir(&dir));
    support::wait_for_text(&dir.join("quotes.csv"), "PUMA");
    program.interrupt();
    let end = program.end().succeeded();
    assert!(end.stdout.contains("stopped by SIGINT"), "{end:#?}");
}
