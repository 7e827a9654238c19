//! Runs the checks of `sink_tests!` on tables of a real PostgreSQL server. Without one they are skipped, with a
//! message.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use ::postgres::{Client, NoTls, SimpleQueryMessage};
use serde_json::{Value, json};

use self::server::Server;
use super::{attached, from_text};
use crate::pipeline::testing::kit::check::SinkCheck;
use crate::pipeline::testing::kit::sinks::SinkSuite;
use crate::pipeline::testing::kit::written::Form;
use crate::postgres::{Options, write_with};
use crate::rows::data_type::DataType;

#[path = "../../../tests/common/server.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod server;

/// A row with a column of each type whose values PostgreSQL keeps. It has no instants, which lose their nanoseconds,
/// as documented.
#[derive(crate::Schema)]
#[schema(crate = crate)]
struct Kept {
    #[schema(primary_key)]
    key: i64,
    bool: bool,
    i8: i8,
    i16: i16,
    i32: i32,
    i64: i64,
    i128: i128,
    u8: u8,
    u16: u16,
    u32: u32,
    u64: u64,
    u128: u128,
    f32: f32,
    f64: f64,
    text: String,
    bytes: Vec<u8>,
    json: Value,
    duration: Duration,
    optional_number: Option<i64>,
    optional_text: Option<String>,
    list: Vec<i64>,
    texts: Vec<Option<String>>,
    array: [f64; 2],
    tuple: (bool, String),
    map: BTreeMap<String, u32>,
}

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(server::start).as_ref()
}

/// The connection string for a directory. A process that is killed finds it there.
fn config(directory: &Path) -> String {
    let path = directory.join("server");
    fs::read_to_string(&path).unwrap_or_else(|_| {
        let config = server().expect("it was there before").config("postgres");
        fs::write(path, &config).unwrap();
        config
    })
}

/// Runs all checks, each on tables that are named after their directories.
fn check(test: &'static str, form: Form) {
    let is_killed = std::env::var_os("PATHWAY_IO_SINK_TEST").is_some();
    if !is_killed && server().is_none() {
        return;
    }
    let make = |directory: &Path| {
        attached(|table| {
            let options = Options::new().table(name(directory));
            let options = if form == Form::Updates { options.updates() } else { options };
            write_with::<Kept>(table, config(directory), options);
        })
    };
    let read = |directory: &Path| read(&config(directory), &name(directory));
    let suite = SinkSuite::<Kept, _, _>::new(make, form, read).in_test(test);
    let checks = if is_killed { &[SinkCheck::recovers_whole_commits] } else { SinkCheck::ALL };
    let broken: Vec<String> = checks
        .iter()
        .filter_map(|check| suite.check(*check).err().map(|broken| format!("{check:?}: {broken}")))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn rows_pass_the_checks() {
    check(concat!(module_path!(), "::rows_pass_the_checks"), Form::Rows);
}

#[test]
fn updates_pass_the_checks() {
    check(concat!(module_path!(), "::updates_pass_the_checks"), Form::Updates);
}

fn name(directory: &Path) -> String {
    directory.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Returns the rows in the order in which they were inserted.
fn read(config: &str, table: &str) -> Vec<Value> {
    let mut client = Client::connect(config, NoTls).unwrap();
    let rows = client.simple_query(&format!("SELECT * FROM \"{table}\" ORDER BY ctid")).unwrap();
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    };
    rows.into_iter()
        .filter_map(row)
        .map(|row| {
            let columns = row.columns().iter().enumerate();
            let value =
                |number, name| row.get(number).map_or(Value::Null, |text| value(&super::type_of::<Kept>(name), text));
            let named = columns.map(|(number, column)| (column.name().to_owned(), value(number, column.name())));
            named.collect::<serde_json::Map<_, _>>().into()
        })
        .collect()
}

/// Returns the JSON value for PostgreSQL's text form.
fn value(ty: &DataType, text: &str) -> Value {
    use base64::Engine as _;

    match ty {
        DataType::Bool => json!(text == "t"),
        DataType::F32 | DataType::F64 if text.ends_with("Infinity") => json!(text),
        DataType::Bytes => {
            let digits = text.strip_prefix("\\x").unwrap();
            let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
            json!(base64::prelude::BASE64_STANDARD.encode(bytes))
        }
        ty => from_text(ty, text),
    }
}
