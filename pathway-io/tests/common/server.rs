//! A PostgreSQL server for tests: a cluster in a temporary directory, on a Unix socket.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

/// The longest wait, which only a server that never starts can reach.
const DEADLINE: Duration = Duration::from_secs(60);

/// A cluster. Its server ends with it, and with the process.
pub struct Server {
    directory: tempfile::TempDir,
    programs: PathBuf,
    user: Option<u32>,
    running: Mutex<Option<Child>>,
}

/// Returns a server. If PostgreSQL is not installed, returns `None` with a message; in CI, it must be installed.
pub fn start() -> Option<Server> {
    let Some(programs) = programs() else {
        assert!(std::env::var_os("CI").is_none(), "PostgreSQL is not installed: `apt-get install postgresql`");
        eprintln!("skipped: PostgreSQL is not installed");
        return None;
    };
    let directory = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
    // PostgreSQL refuses to run as root.
    let user = (id(None) == Some(0)).then(|| id(Some("postgres")).expect("there is a user `postgres`"));
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    chown(directory.path(), user, None).unwrap();
    let server = Server { directory, programs, user, running: Mutex::new(None) };
    for name in ["data", "socket"] {
        let path = server.path(name);
        fs::create_dir(&path).unwrap();
        chown(&path, user, None).unwrap();
    }
    let mut init = server.program("initdb");
    init.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "-D"]);
    let made = init.arg(server.path("data")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    server.up();
    Some(server)
}

fn programs() -> Option<PathBuf> {
    let found = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<PathBuf> = found.map(|entry| entry.path().join("bin")).collect();
    installed.sort();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    installed.into_iter().rev().chain(std::env::split_paths(&paths)).find(|path| path.join("initdb").exists())
}

fn id(user: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg("-u").args(user).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

impl Server {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The directory of the socket.
    pub fn host(&self) -> PathBuf {
        self.path("socket")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.directory.path());
        if let Some(user) = self.user {
            command.uid(user);
        }
        command
    }

    fn running(&self) -> MutexGuard<'_, Option<Child>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the server, and waits until it answers.
    pub fn up(&self) {
        // The shell ends the server when the test's end of the pipe is closed, however the test ends.
        let mut shell = self.program("postgres");
        let postgres = shell.get_program().to_owned();
        shell = Command::new("sh");
        if let Some(user) = self.user {
            shell.uid(user);
        }
        // At the end of a test, the shell also removes the directory. A test that stops the server itself sends a line.
        let script = "\"$0\" \"$@\" </dev/null & read _; ended=$?; kill -INT $!; wait $!; \
                      [ $ended = 0 ] || rm -rf \"$PWD\"";
        shell.current_dir(self.directory.path()).arg("-c").arg(script).arg(postgres);
        shell.arg("-D").arg(self.path("data")).arg("-k").arg(self.host());
        for option in ["listen_addresses=", "fsync=off", "max_connections=60", "log_min_messages=fatal"] {
            shell.args(["-c", option]);
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let child = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        *self.running() = Some(child);
        let until = Instant::now() + DEADLINE;
        while let Err(error) = Client::connect(&self.config("postgres"), NoTls) {
            assert!(Instant::now() < until, "{error}: {}", fs::read_to_string(self.path("log")).unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops the server. It cuts connections in the middle of a statement.
    pub fn down(&self) {
        if let Some(mut child) = self.running().take() {
            if let Some(mut stdin) = child.stdin.take() {
                // If the server has ended already, the call fails.
                let _ = stdin.write_all(b"\n");
            }
            child.wait().unwrap();
        }
    }

    /// The connection string of a database.
    pub fn config(&self, database: &str) -> String {
        config(&self.host(), database)
    }

    /// Makes a database, and returns its connection string.
    pub fn database(&self, name: &str) -> String {
        let mut client = Client::connect(&self.config("postgres"), NoTls).unwrap();
        client.batch_execute(&format!("CREATE DATABASE \"{name}\"")).unwrap();
        self.config(name)
    }
}

/// The connection string of a database on a server with its socket in that directory.
pub fn config(host: &Path, database: &str) -> String {
    format!("host={} user=postgres dbname={database}", host.display())
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}
