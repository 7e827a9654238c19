//! Checks the completions of rust-analyzer inside the macros, over its protocol. The test is skipped if the component, or the
//! source code of the standard library, is missing. `rustup component add rust-analyzer rust-src` installs both.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The longest wait for the server to load the workspace, which includes building the macros.
const PATIENCE: Duration = Duration::from_secs(300);

const PRELUDE: &str = "
use pathway_io::{Closed, RunResult, Schema, Subject, connector, next};

#[derive(Schema)]
pub struct Place { pub city: String, pub street: String }

#[derive(Schema)]
pub struct Cat { pub key: i64, pub genus: String, #[schema(default = 4)] pub legs: u8, #[schema(flatten)] pub place: Place }

pub struct Local { pub age: i64 }
impl Local { pub fn name_of_it(&self) -> String { String::new() } }
";

/// The text before and after the cursor (`$0`), and the expected completions.
const CASES: &[(&str, &str, &[&str])] = &[
    ("a field", "pub fn push(cats: &Subject<Cat>) { let _ = next!(cats, Cat { key: 1, ge$0 }); }", &["genus"]),
    (
        "a first field",
        "pub fn push(cats: &Subject<Cat>) { let _ = next!(cats, Cat { $0 }); }",
        &["key", "genus", "legs", "place"],
    ),
    (
        "a field before `..`",
        "pub fn push(cats: &Subject<Cat>) { let _ = next!(cats, Cat { key: 1, ge$0, .. }); }",
        &["genus"],
    ),
    (
        "a method in a value",
        "pub fn push(cats: &Subject<Cat>, local: &Local) { let _ = next!(cats, Cat { key: 1, genus: local.$0, .. }); }",
        &["name_of_it", "age"],
    ),
    (
        "a field of a nested row",
        "pub fn push(cats: &Subject<Cat>) { let _ = next!(cats, Cat { key: 1, place: Place { ci$0 }, .. }); }",
        &["city"],
    ),
    ("a method of the subject", "pub fn push(cats: &Subject<Cat>) { let _ = next!(cats.$0); }", &["transaction"]),
    (
        "a subject in a connector",
        "pub struct Zoo;\n#[connector]\nimpl Zoo { fn run(&mut self, cats: Subject<Cat>) -> RunResult { cats.$0; Ok(()) } }",
        &["next", "commit", "next_json"],
    ),
    (
        "a method in an unfinished body",
        "pub struct Zoo;\n#[connector]\nimpl Zoo { fn run(&mut self, cats: Subject<Cat>) -> RunResult { let local = Local { age: 1 }; let name = local.$0 } }",
        &["name_of_it", "age"],
    ),
    (
        "an option of a struct",
        "#[derive(Schema)]\n#[schema(app$0)]\nstruct Dog { key: i64 }",
        &["append_only", "rename_all"],
    ),
    (
        "a further option of a struct",
        "#[derive(Schema)]\n#[schema(append_only, $0)]\nstruct Dog { key: i64 }",
        &["deny_unknown", "sample"],
    ),
    ("an option of a column", "#[derive(Schema)]\nstruct Dog { #[schema($0)] key: i64 }", &["primary_key", "rename"]),
    (
        "an option before a value is written",
        "#[derive(Schema)]\nstruct Dog { #[schema(primary_key, ali$0 = \"k\")] key: i64 }",
        &["alias"],
    ),
    (
        "an option of a column type",
        "#[derive(pathway_io::ColumnType)]\n#[column(re$0)]\nenum Mood { Calm }",
        &["rename_all"],
    ),
    (
        "an option of a variant",
        "#[derive(pathway_io::ColumnType)]\nenum Mood { #[column(rename = \"calm\", $0)] Calm }",
        &["alias", "other"],
    ),
    (
        "an option of a connector",
        "pub struct Zoo;\n#[connector(auto$0)]\nimpl Zoo { fn run(&mut self, cats: Subject<Cat>) -> RunResult { Ok(()) } }",
        &["autocommit", "backlog"],
    ),
    (
        "a first option of a connector",
        "pub struct Zoo;\n#[connector($0)]\nimpl Zoo { fn run(&mut self, cats: Subject<Cat>) -> RunResult { Ok(()) } }",
        &["autocommit", "name"],
    ),
];

#[test]
fn the_editor_completes_inside_the_macros() {
    let is_installed =
        Command::new("rust-analyzer").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_installed || !has_sources() {
        eprintln!("skipped: `rustup component add rust-analyzer rust-src` installs what is missing");
        return;
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("editor");
    let source = project(&directory);
    let mut server = Server::start(&directory);
    let mut wrongs = Vec::new();
    for (number, (what, text, expected)) in CASES.iter().enumerate() {
        let labels = server.complete(&source, number, &format!("{PRELUDE}\n{text}\n"));
        let missing: Vec<_> = expected.iter().filter(|name| !labels.contains(**name)).collect();
        if !missing.is_empty() {
            wrongs.push(format!("{what}: {missing:?} are not among {} completions", labels.len()));
        }
    }
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}

/// Returns whether the source code of the standard library is installed. If it is missing, rust-analyzer would install it. A test
/// must not change the toolchain: with the source code, rustc shows more in some errors.
fn has_sources() -> bool {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let Ok(sysroot) = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()) else {
        return false;
    };
    Path::new(&sysroot).join("lib/rustlib/src/rust/library/core").is_dir()
}

/// Creates a package that depends on the crate of this workspace.
fn project(directory: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::create_dir_all(directory.join("src")).unwrap();
    let runtime = root.join("pathway-io");
    let manifest = format!(
        "[package]\nname = \"edited\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\npathway-io = {{ path = {runtime:?} }}\n"
    );
    fs::write(directory.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    let source = directory.join("src").join("lib.rs");
    fs::write(&source, PRELUDE).unwrap();
    source
}

struct Server {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    requests: u64,
}

impl Server {
    /// Starts the server, and waits until it has loaded the package.
    fn start(directory: &Path) -> Server {
        let mut process = Command::new("rust-analyzer")
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let (sender, messages) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut server = Server { process, input, messages, requests: 0 };
        let uri = uri(directory);
        server.request(
            "initialize",
            json!({
                "processId": null,
                "rootUri": uri,
                "capabilities": { "experimental": { "serverStatusNotification": true } },
                "initializationOptions": { "checkOnSave": false, "cachePriming": { "enable": false } },
            }),
        );
        server.send(json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }));
        let is_loaded = |message: &Value| {
            message["method"] == "experimental/serverStatus" && message["params"]["quiescent"] == true
        };
        server.wait(is_loaded, "its workspace");
        server
    }

    fn send(&mut self, message: Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.wait(move |message| message["id"] == id && message["method"].is_null(), method)
    }

    fn wait(&mut self, is_it: impl Fn(&Value) -> bool, what: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(message) = self.messages.recv_timeout(left) else { panic!("rust-analyzer did not answer: {what}") };
            if is_it(&message) {
                return message;
            }
            // what the server asks for, such as leave to show its progress
            if let (Some(id), true) = (message.get("id"), message["method"].is_string()) {
                self.send(json!({ "jsonrpc": "2.0", "id": id, "result": null }));
            }
        }
    }

    /// Returns the labels of the completions at `$0`.
    fn complete(&mut self, source: &Path, version: usize, marked: &str) -> HashSet<String> {
        let (before, after) = marked.split_once("$0").unwrap();
        let (line, column) = (before.matches('\n').count(), before.len() - before.rfind('\n').map_or(0, |at| at + 1));
        let (uri, text) = (uri(source), format!("{before}{after}"));
        if version == 0 {
            let document = json!({ "uri": uri, "languageId": "rust", "version": version, "text": text });
            self.send(
                json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": document } }),
            );
        } else {
            let params =
                json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": [{ "text": text }] });
            self.send(json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params }));
        }
        let position = json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": column } });
        let answer = self.request("textDocument/completion", position);
        let result = &answer["result"];
        let items = result["items"].as_array().or_else(|| result.as_array());
        let label = |item: &Value| {
            let label = item["label"].as_str().unwrap_or_default();
            label.split(['(', '!', ' ', ':', '…']).next().unwrap_or_default().to_owned()
        };
        items.map(|items| items.iter().map(label).collect()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// Reads the next message of the protocol: headers, an empty line, and JSON.
fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut header = String::new();
        if output.read_line(&mut header).ok()? == 0 {
            return None;
        }
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("Content-Length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
