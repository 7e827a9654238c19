//! Runs the connector with a test server that ends a connection in the middle of a message. The connector then requests
//! the remaining events.

#[path = "../../tests/support/mod.rs"]
mod support;

mod server;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use server::{LIKES, POSTS, commit, like, next, post, send, serve, tear};
use support::{Program, fresh_dir, records};
use tungstenite::Message;

fn start(dir: &Path, url: &str, more: &[&str]) -> Program {
    let quarantine = dir.join("bad.jsonl");
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-jetstream"));
    command.current_dir(dir).args(["--url", url]).arg("--quarantine").arg(quarantine).args(more);
    Program::spawn(&mut command)
}

#[test]
fn creates_updates_and_deletes_over_two_connections() {
    let dir = fresh_dir("jetstream");
    let (url, connections) = serve();
    let program = start(&dir, &url, &["--events", "8"]);

    let (query, mut first) = next(&connections);
    assert_eq!(query, format!("wantedCollections={POSTS}&wantedCollections={LIKES}"));
    send(&mut first, &commit(1_001, "create", POSTS, "p1", post("hello")));
    send(&mut first, &commit(1_002, "create", LIKES, "l1", like("at://did:plc:dog/app.bsky.feed.post/p9")));
    // The same key in the other collection is another row.
    send(&mut first, &commit(1_003, "create", LIKES, "p1", like("at://did:plc:dog/app.bsky.feed.post/p8")));
    send(
        &mut first,
        &json!({"did": "did:plc:cat", "time_us": 1_004, "kind": "identity",
        "identity": {"did": "did:plc:cat", "handle": "cat.example", "seq": 1, "time": "2026-01-02T03:04:05Z"}}),
    );
    send(
        &mut first,
        &json!({"did": "did:plc:cat", "time_us": 1_005, "kind": "account",
        "account": {"active": true, "did": "did:plc:cat", "seq": 2, "time": "2026-01-02T03:04:05Z"}}),
    );
    send(&mut first, &json!({"did": "did:plc:cat", "time_us": 1_006, "kind": "weather", "weather": "fine"}));
    send(&mut first, &commit(1_007, "create", "app.bsky.feed.repost", "r1", Some(json!({"$type": "?"}))));
    // A complete message with half an event, and a record that does not fit its collection.
    first.send(Message::text(r#"{"did": "did:plc:cat", "time_us": 1008, "ki"#)).expect("the client reads");
    send(&mut first, &commit(1_009, "create", POSTS, "p2", Some(json!({"text": 5}))));
    send(&mut first, &commit(1_010, "create", POSTS, "p3", post("a, \"b\"")));
    first.send(Message::Ping("are you there?".into())).expect("the client reads");
    send(&mut first, &commit(1_011, "update", POSTS, "p1", post("hello again")));
    tear(first);

    let (query, mut second) = next(&connections);
    assert!(query.ends_with("&cursor=1011"), "{query}");
    // The server sends the event of the cursor again. It is not counted twice.
    send(&mut second, &commit(1_011, "update", POSTS, "p1", post("hello again")));
    send(&mut second, &commit(1_012, "delete", LIKES, "l1", None));
    send(&mut second, &commit(1_013, "delete", POSTS, "never-seen", None));
    send(&mut second, &commit(1_014, "delete", POSTS, "p3", None));
    let end = program.end().succeeded();

    let row = |key: &str, text: &str, time_us: u64, diff: i64| {
        format!("did:plc:cat,{key},{text},\"[\"\"en\"\"]\",,2026-01-02T03:04:05Z,{time_us},{diff}")
    };
    let posts = records(&dir.join("posts.csv"));
    assert_eq!(posts[0], "did,rkey,text,langs,reply_to,created_at,time_us,diff");
    assert_eq!(last_state(&posts), [row("p1", "hello again", 1_011, 1)]);
    let likes = records(&dir.join("likes.csv"));
    assert_eq!(
        last_state(&likes),
        ["did:plc:cat,p1,at://did:plc:dog/app.bsky.feed.post/p8,2026-01-02T03:04:06Z,1".to_owned()]
    );
    assert!(end.stdout.contains("Jetstream: 9 rows in ") && end.stdout.contains(", 2 bad rows"), "{end:#?}");
    assert_eq!(end.stderr.matches("Jetstream: attempt 1 failed, attempt 2 in ").count(), 1, "{end:#?}");
    assert!(end.stdout.contains(", 2 attempts, last error: ") && end.stdout.contains(&url), "{end:#?}");
    let bad = std::fs::read_to_string(dir.join("bad.jsonl")).expect("the quarantine");
    assert_eq!(bad.lines().count(), 2, "{bad}");
    assert!(bad.contains("invalid event") && bad.contains("invalid record"), "{bad}");
}

/// Applies all updates and returns the remaining rows. Each retraction must match a row.
fn last_state(records: &[String]) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for record in &records[1..] {
        match record.strip_suffix(",-1") {
            None => rows.push(record.clone()),
            Some(row) => {
                let place = rows.iter().position(|other| *other == format!("{row},1"));
                rows.remove(place.unwrap_or_else(|| panic!("{record} retracts nothing")));
            }
        }
    }
    rows
}

#[cfg(unix)]
#[test]
fn ctrl_c_unblocks_the_read() {
    let dir = fresh_dir("jetstream-interrupt");
    let (url, connections) = serve();
    let program = start(&dir, &url, &[]);
    let (_, mut connection) = next(&connections);
    send(&mut connection, &commit(1, "create", POSTS, "p1", post("hello")));
    support::wait_for_text(&dir.join("posts.csv"), "hello");
    // The client waits in a read now, and the server sends nothing more.
    program.interrupt();
    let end = program.end().succeeded();
    assert!(end.stdout.contains("stopped by SIGINT"), "{end:#?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_unblocks_the_handshake() {
    let dir = fresh_dir("jetstream-handshake");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/subscribe", listener.local_addr().expect("it is bound"));
    let program = start(&dir, &url, &[]);
    let (_silent, _) = listener.accept().expect("the client comes");
    program.interrupt();
    program.end().succeeded();
}

#[test]
fn an_invalid_url_is_named() {
    let dir = fresh_dir("jetstream-nowhere");
    let end = start(&dir, "jetstream", &[]).end().failed();
    assert!(end.stderr.contains("connector `Jetstream` failed: jetstream: "), "{end:#?}");
}

/// The port is closed, as if there were no network.
#[cfg(unix)]
#[test]
fn a_server_that_cannot_be_reached_is_retried() {
    let dir = fresh_dir("jetstream-away");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/subscribe", listener.local_addr().expect("it is bound"));
    drop(listener);
    let mut program = start(&dir, &url, &[]);
    program
        .wait_for_error(|line| line.starts_with("Jetstream: attempt 2 failed, attempt 3 in ") && line.contains(&url));
    program.interrupt();
    let end = program.end().succeeded();
    assert!(end.stdout.contains("attempts, last error: ") && end.stdout.contains("stopped by SIGINT"), "{end:#?}");
}

#[test]
fn a_refused_request_is_not_retried() {
    let dir = fresh_dir("jetstream-refused");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/subscrib", listener.local_addr().expect("it is bound"));
    let program = start(&dir, &url, &[]);
    let (mut stream, _) = listener.accept().expect("the client comes");
    let mut request = [0; 4096];
    assert!(stream.read(&mut request).expect("a request") > 0);
    stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").expect("the client reads");
    let end = program.end().failed();
    assert!(end.stderr.contains("404"), "{end:#?}");
}

/// The test server has no trusted certificate, so the test only checks that the client begins a TLS handshake.
#[test]
fn wss_speaks_tls() {
    let dir = fresh_dir("jetstream-tls");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("wss://localhost:{}/subscribe", listener.local_addr().expect("it is bound").port());
    let mut program = start(&dir, &url, &[]);
    let (mut stream, _) = listener.accept().expect("the client comes");
    let mut hello = [0; 6];
    stream.read_exact(&mut hello).expect("a greeting");
    assert_eq!((hello[0], hello[5]), (22, 1), "a handshake record with a client hello");
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("the client reads");
    drop(stream);
    program.wait_for_error(|line| line.contains("attempt 1 failed") && line.contains(&url));
}

#[test]
fn the_recording_is_replayed_by_default() {
    replays_the_recording("jetstream-default", &[]);
}

#[test]
fn the_demo_replays_the_recording() {
    replays_the_recording("jetstream-demo", &["--demo"]);
}

fn replays_the_recording(name: &str, args: &[&str]) {
    let dir = fresh_dir(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-jetstream"));
    // 150 events are more than one round.
    let end = Program::spawn(command.current_dir(&dir).args(args).args(["--events", "150"])).end().succeeded();
    assert!(end.stdout.contains("Jetstream: 150 rows in "), "{end:#?}");
    let posts = last_state(&records(&dir.join("posts.csv")));
    // The key of a post ends with the number of its round.
    assert!(
        posts.iter().any(|post| post.contains("-0,")) && posts.iter().any(|post| post.contains("-1,")),
        "{posts:?}"
    );
    assert!(last_state(&records(&dir.join("likes.csv"))).len() > 20);
}
