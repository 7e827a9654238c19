//! Transient and permanent errors.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use pathway_io::{Connector, Pipeline, ReadOptions, Restart, RunResult, Schema, Subject, Table, postgres as sink};

use crate::common::{Cat, TempDir, cat, source, wait_until};
use crate::{client, database, rows, server, write};

fn cats() -> sink::Options {
    sink::Options::new().table("cats")
}

fn soon() -> Restart {
    Restart::backoff(Duration::from_millis(1)..Duration::from_millis(20))
}

#[track_caller]
fn error(config: &str, options: sink::Options, run: impl FnMut(Subject<Cat>) -> RunResult + Send + 'static) -> String {
    write(config, options, run).expect_err("it fails").to_string()
}

fn one(cats: Subject<Cat>) -> RunResult {
    cats.next(cat(1, "felis"))?;
    Ok(cats.commit()?)
}

#[test]
fn permanent_errors_end_the_pipeline_with_their_cause() {
    let Some(config) = database() else { return };
    let mut database = client(&config);
    // The attempts are unlimited, so a test that retries a permanent error hangs.
    let options = || cats().retry(soon());
    let said = error(&config.replace("dbname=", "dbname=no_"), options(), one);
    assert!(said.contains("database \"no_") && said.contains("does not exist (SQLSTATE 3D000)"), "{said}");
    let said = error("host=/tmp dbname", options(), one);
    assert!(said.contains("invalid connection string") && said.contains("\nhelp: write `host=db "), "{said}");
    database
        .batch_execute(
            "CREATE TABLE cats (key bigint PRIMARY KEY, genus text CONSTRAINT short CHECK (length(genus) < 4))",
        )
        .unwrap();
    let said = error(&config, options(), one);
    assert!(said.contains("violates check constraint \"short\" (SQLSTATE 23514)"), "{said}");
    assert!(said.contains("detail: Failing row contains (1, felis)"), "{said}");
    assert_eq!(rows(&config, "SELECT * FROM cats"), Vec::<Vec<String>>::new());
    // `COMMIT` reports the violation of a deferred constraint.
    database
        .batch_execute(
            "DROP TABLE cats; CREATE TABLE cats (key bigint PRIMARY KEY, genus text UNIQUE DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
    let said = error(&config, options(), |cats| {
        cats.next(cat(1, "felis"))?;
        cats.next(cat(2, "felis"))?;
        Ok(cats.commit()?)
    });
    assert!(said.contains("duplicate key value violates unique constraint"), "{said}");
    assert_eq!(rows(&config, "SELECT * FROM cats"), Vec::<Vec<String>>::new());
    // Another program removes the record that the pipeline made the table.
    let emptied = config.clone();
    let said = error(&config, cats().retry(soon()).table("others"), move |cats| {
        client(&emptied).batch_execute("DELETE FROM pathway_io_tables").unwrap();
        one(cats)
    });
    assert!(said.contains("the row of `others` in `pathway_io_tables` was removed"), "{said}");
}

#[test]
fn a_server_that_needs_tls_is_named_with_the_option_for_it() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let answer = thread::spawn(move || {
        let (mut client, _) = server.accept().unwrap();
        client.read_exact(&mut [0; 8]).unwrap();
        client.write_all(b"S").unwrap();
    });
    let config = format!("host=127.0.0.1 port={port} user=zoo sslmode=require");
    let said = error(&config, cats().retry(soon()), one);
    answer.join().unwrap();
    assert!(
        said.contains("no TLS implementation configured\nhelp: set a connector with `postgres::Options::tls`"),
        "{said}"
    );
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for_without_a_limit() {
    // The system accepts the connections.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let config = format!("host=127.0.0.1 port={port} user=zoo connect_timeout=1");
    let said = error(&config, cats().retry(soon().attempts(2)), one);
    assert!(said.contains("the server accepted the connection, and did not answer within 2s"), "{said}");
}

#[test]
fn a_session_that_another_client_uses_is_named() {
    let Some(config) = database() else { return };
    // A connection pool that passes each transaction to another session has the same effect.
    client(&config)
        .batch_execute(
            "CREATE TABLE cats (key bigint PRIMARY KEY, genus text);
             CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN NULL; END $$;
             CREATE TRIGGER forget AFTER INSERT ON cats FOR EACH STATEMENT EXECUTE FUNCTION forget()",
        )
        .unwrap();
    let said = error(&config, cats().retry(soon()), one);
    assert!(said.contains("does not exist (SQLSTATE 26000)") && said.contains("pool in session mode"), "{said}");
}

#[test]
fn a_standby_is_waited_for_until_it_is_the_primary() {
    let Some(config) = database() else { return };
    let mut database = client(&config);
    let mut read_only = |on: bool| {
        let set = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = ";
        database.batch_execute(&format!("{set}{on}', current_database()); END $$")).unwrap();
    };
    read_only(true);
    let pipeline = crate::common::pipeline();
    sink::write_with(&pipeline.read(source(one)), &*config, cats().retry(soon()));
    let monitor = pipeline.monitor();
    let running = thread::spawn(move || crate::common::run(pipeline));
    wait_until("it tries again", || monitor.snapshot().sinks.iter().any(|sink| sink.retries > 1));
    read_only(false);
    running.join().unwrap().unwrap();
    assert_eq!(rows(&config, "SELECT genus FROM cats"), [["felis"]]);
}

#[test]
fn a_server_that_is_not_there_is_waited_for_up_to_the_limit() {
    let directory = TempDir::new();
    let config = server::config(&directory.path(""), "zoo");
    let said = error(&config, cats().retry(soon().attempts(3)), one);
    assert!(said.contains("error connecting to server: "), "{said}");
}

/// Pushes rows without a key until `end`, and counts them.
struct Flood {
    pushed: Arc<AtomicU64>,
    end: Arc<AtomicBool>,
}

impl Flood {
    fn new() -> (Self, Arc<AtomicU64>, Arc<AtomicBool>) {
        let (pushed, end) = (Arc::default(), Arc::default());
        (Flood { pushed: Arc::clone(&pushed), end: Arc::clone(&end) }, pushed, end)
    }
}

impl Connector for Flood {
    type Subjects = Subject<Cat, i64>;
    type Tables = Table<Cat>;

    fn options() -> ReadOptions {
        ReadOptions::new().autocommit(Duration::from_millis(1)).name("flood").backlog(500)
    }

    fn run(&mut self, cats: Subject<Cat, i64>) -> RunResult {
        for key in cats.resume().unwrap_or(0).. {
            if self.end.load(Ordering::SeqCst) {
                return Ok(());
            }
            cats.next_at(key + 1, cat(key % 1_000, &format!("g{key}")))?;
            self.pushed.store(key as u64 + 1, Ordering::SeqCst);
            if key % 100 == 0 {
                // The source must still run at the last disturbance.
                cats.sleep(Duration::from_micros(200))?;
            }
        }
        Ok(())
    }
}

/// Writes both forms of a table while `disturb` disturbs the connections, and checks the tables at the end.
fn disturbed(config: &str, persistent: bool, disturb: impl Fn(usize)) {
    let directory = TempDir::new();
    let pipeline = match persistent {
        true => Pipeline::persistent(directory.path("state")).unwrap(),
        false => Pipeline::new(),
    };
    pipeline.handle_signals(false);
    let (flood, pushed, end) = Flood::new();
    let cats = pipeline.read(flood);
    sink::write_with(&cats, config, self::cats().retry(soon()));
    sink::write_with(&cats, config, self::cats().table("updates").updates().retry(soon()));
    let running = pipeline.start().unwrap();
    for round in 0..12 {
        let before = pushed.load(Ordering::SeqCst);
        // More rows than the backlogs hold, so some have arrived in between.
        let message = format!("no rows arrive after disturbance {round}");
        wait_until(&message, || pushed.load(Ordering::SeqCst) >= before + 2_500);
        disturb(round);
    }
    end.store(true, Ordering::SeqCst);
    crate::common::within(move || running.join()).unwrap();
    let last = pushed.load(Ordering::SeqCst);
    // Each row was written once: the count equals the number of pushed rows, and so does the count of distinct rows.
    let query = "SELECT count(*), count(DISTINCT genus) FROM updates WHERE diff = 1";
    assert_eq!(rows(config, query), [[last.to_string(), last.to_string()]]);
    assert_eq!(rows(config, "SELECT sum(diff) FROM updates"), [["1000"]]);
    let kept = "SELECT key, genus FROM cats ORDER BY key";
    let summed = "SELECT key, genus FROM updates GROUP BY key, genus HAVING sum(diff) > 0 ORDER BY key";
    assert_eq!(rows(config, kept), rows(config, summed));
}

#[test]
fn connections_that_the_server_ends_lose_and_double_nothing() {
    let Some(config) = database() else { return };
    for persistent in [false, true] {
        client(&config).batch_execute("DROP TABLE IF EXISTS cats, updates, pathway_io_tables").unwrap();
        let killed = AtomicU64::new(0);
        disturbed(&config, persistent, |_| {
            let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                       WHERE datname = current_database() AND application_name LIKE 'pathway-io %'";
            killed.fetch_add(client(&config).query_one(end, &[]).unwrap().get::<_, i64>(0) as u64, Ordering::SeqCst);
        });
        assert!(killed.load(Ordering::SeqCst) >= 12, "{killed:?} connections were ended");
    }
}

#[test]
fn a_server_that_restarts_while_rows_flow_loses_and_doubles_nothing() {
    let Some(server) = server::start() else { return };
    let config = server.database("zoo");
    disturbed(&config, true, |round| {
        if round % 4 == 3 {
            server.down();
            thread::sleep(Duration::from_millis(50));
            server.up();
        }
    });
}

/// A proxy between a socket and the server, which can cut its connections.
struct Proxy {
    directory: TempDir,
    links: Arc<Mutex<Vec<UnixStream>>>,
}

impl Proxy {
    fn new() -> Self {
        const SOCKET: &str = ".s.PGSQL.5432";
        let directory = TempDir::new();
        let socket = directory.path(SOCKET);
        let server = crate::shared().expect("there is a server").host().join(SOCKET);
        let listener = UnixListener::bind(socket).unwrap();
        let links = Arc::<Mutex<Vec<UnixStream>>>::default();
        let open = Arc::clone(&links);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, upstream) = (client.unwrap(), UnixStream::connect(&server).unwrap());
                let clone = |stream: &UnixStream| stream.try_clone().unwrap();
                open.lock().unwrap().extend([clone(&client), clone(&upstream)]);
                let (there, back) = (clone(&client), clone(&upstream));
                thread::spawn(move || pass(there, upstream));
                thread::spawn(move || pass(back, client));
            }
        });
        Proxy { directory, links }
    }

    /// Returns the connection string that leads through the proxy.
    fn config(&self, config: &str) -> String {
        let server = crate::shared().expect("there is a server").host();
        config.replace(&server.display().to_string(), &self.directory.path("").display().to_string())
    }

    /// Cuts all connections at the clients' ends, so that the server still executes what it has received.
    fn cut(&self) -> usize {
        let mut links = self.links.lock().unwrap();
        let clients: Vec<UnixStream> = links.drain(..).step_by(2).collect();
        for client in &clients {
            // If the connection is closed already, the call fails.
            let _ = client.shutdown(std::net::Shutdown::Both);
        }
        clients.len()
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(len) = from.read(&mut buffer) {
        if len == 0 || to.write_all(&buffer[..len]).is_err() {
            break;
        }
    }
    // If the other end is closed already, the call fails.
    let _ = to.shutdown(std::net::Shutdown::Write);
}

#[test]
fn connections_that_are_cut_on_the_way_lose_and_double_nothing() {
    let Some(config) = database() else { return };
    let proxy = Proxy::new();
    disturbed(&proxy.config(&config), true, |_| assert!(proxy.cut() > 0));
}

#[test]
fn the_session_of_a_killed_process_ends_even_if_it_waits_for_a_lock() {
    let Some(config) = database() else { return };
    let (proxy, mut other) = (Proxy::new(), client(&config));
    other.batch_execute("CREATE TABLE cats (key bigint PRIMARY KEY, genus text)").unwrap();
    let mut migration = other.transaction().unwrap();
    migration.batch_execute("LOCK TABLE cats").unwrap();
    let through = proxy.config(&config);
    let killed = thread::spawn(move || error(&through, cats().retry(soon().attempts(1)), one));
    let sessions = "SELECT wait_event_type FROM pg_stat_activity
                    WHERE starts_with(application_name, 'pathway-io') AND datname = current_database()";
    wait_until("it waits for the lock", || rows(&config, sessions) == [["Lock"]]);
    // As in a kill, only the connection ends.
    assert_eq!(proxy.cut(), 1);
    wait_until("the server ends the session", || rows(&config, sessions).is_empty());
    killed.join().unwrap();
    migration.commit().unwrap();
    write(&config, cats(), one).unwrap();
    assert_eq!(rows(&config, "SELECT genus FROM cats"), [["felis"]]);
}

#[derive(Schema)]
struct Wide {
    #[schema(primary_key)]
    key: i64,
    text: String,
}

#[test]
fn one_commit_may_be_larger_than_a_statement() {
    let Some(config) = database() else { return };
    let pipeline = crate::common::pipeline();
    let wide = pipeline.read(source(|wide: Subject<Wide>| {
        let all = wide.transaction();
        for key in 0..50_000 {
            all.next(Wide { key, text: "x".repeat(400) })?;
        }
        Ok(all.commit()?)
    }));
    sink::write(&wide, &*config);
    sink::write_with(&wide, &*config, sink::Options::new().table("stream").updates());
    crate::common::run(pipeline).unwrap();
    let count = "SELECT count(*), count(DISTINCT key) FROM";
    assert_eq!(rows(&config, &format!("{count} \"Wide\"")), [["50000", "50000"]]);
    assert_eq!(rows(&config, &format!("{count} stream")), [["50000", "50000"]]);
}

#[test]
fn rows_that_do_not_fit_in_one_statement_take_two() {
    let Some(config) = database() else { return };
    client(&config)
        .batch_execute(
            "CREATE TABLE \"Wide\" (key bigint PRIMARY KEY, text text);
             -- A table with a rule takes no COPY.
             CREATE RULE kept AS ON DELETE TO \"Wide\" WHERE false DO ALSO NOTHING;
             CREATE TABLE statements (number serial, rows bigint);
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO statements (rows) SELECT count(*) FROM added; RETURN NULL; END $$;
             CREATE TRIGGER note AFTER INSERT ON \"Wide\" REFERENCING NEW TABLE AS added
                 FOR EACH STATEMENT EXECUTE FUNCTION note()",
        )
        .unwrap();
    const MIB: usize = 1024 * 1024;
    let sizes = [2 * MIB, 7 * MIB, 9 * MIB, 1, 1];
    write(&config, sink::Options::new(), move |wide: Subject<Wide>| {
        let all = wide.transaction();
        for (key, size) in (0..).zip(sizes) {
            all.next(Wide { key, text: "x".repeat(size) })?;
        }
        Ok(all.commit()?)
    })
    .unwrap();
    assert_eq!(rows(&config, "SELECT rows FROM statements ORDER BY number"), [["1"], ["1"], ["1"], ["2"]]);
    let lengths: Vec<Vec<String>> = sizes.iter().map(|size| vec![size.to_string()]).collect();
    assert_eq!(rows(&config, "SELECT length(text) FROM \"Wide\" ORDER BY key"), lengths);
}
