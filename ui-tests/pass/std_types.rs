//! Types of the standard library in rows that are pushed, read from JSON, and computed on.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use pathway_io::{RunResult, Schema, Subject, connector, next};

#[derive(Schema)]
#[schema(dataflow)]
struct Visit {
    #[schema(primary_key)]
    id: usize,
    #[schema(primary_key)]
    host: Arc<str>,
    grade: char,
    balance: i128,
    total: u128,
    delta: isize,
    name: Box<str>,
    #[schema(default = "cats")]
    path: Cow<'static, str>,
    file: PathBuf,
    from: IpAddr,
    socket: Option<SocketAddr>,
    at: SystemTime,
    count: NonZero<u32>,
    boxed: Box<Option<i64>>,
    headers: HashMap<String, String>,
    scores: BTreeMap<String, Vec<f64>>,
    tags: BTreeSet<String>,
}

struct Log;

#[connector]
impl Log {
    fn run(&mut self, visits: Subject<Visit>) -> RunResult {
        next!(visits, Visit {
            id: 1,
            host: "a.example",
            grade: 'A',
            balance: -1,
            total: u128::MAX,
            delta: -1,
            name: "tom",
            path: "/",
            file: "a/b",
            from: "192.0.2.1".parse()?,
            socket: None,
            at: SystemTime::UNIX_EPOCH,
            count: NonZero::new(3).unwrap(),
            boxed: Box::new(None),
            headers: HashMap::new(),
            scores: [("x".to_owned(), vec![1.0])].into(),
            tags: BTreeSet::new(),
        })?;
        visits.next_json(
            r#"{"id": 2, "host": "b.example", "grade": "B", "balance": "-170141183460469231731687303715884105728", "total": 5,
            "delta": 0, "name": "n", "file": "f", "from": "::1", "socket": "[::1]:80", "at": "2021-03-21T18:34:12Z", "count": 1,
            "boxed": 7, "headers": {"b": "2", "a": "1"}, "scores": {}, "tags": ["y", "x", "y"]}"#,
        )?;
        visits.commit()?;
        visits.remove((1, "a.example".into()))?;
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let updates = pathway_io::testing::collect(Log)?;
    assert_eq!(updates.len(), 3);
    let second = &updates[1].row;
    assert_eq!((second.balance, &*second.path), (i128::MIN, "cats"));
    assert_eq!(second.tags, BTreeSet::from(["x".to_owned(), "y".to_owned()]));
    assert_eq!(second.headers["a"], "1");
    assert!(second.clone() == *second && updates[0].row != *second);
    assert_eq!(updates[2].diff, -1);
    assert_eq!(&*updates[2].row.name, "tom");
    let schema = Visit::schema();
    assert_eq!(schema.columns[3].data_type.to_string(), "i128");
    assert_eq!(schema.columns[14].data_type.to_string(), "Map<String, String>");
    Ok(())
}
