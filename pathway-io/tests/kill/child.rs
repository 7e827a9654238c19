//! Starts, kills and awaits the child process.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tempfile::TempDir;

use crate::program;

/// The longest wait, which only a hang can reach: an undisturbed run repeats all that 200 killed ones have done.
const DEADLINE: Duration = Duration::from_secs(300);

/// A program with its directory.
pub struct Program {
    directory: TempDir,
    pub durability: &'static str,
}

impl Program {
    pub fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        #[cfg(feature = "postgres")]
        crate::postgres::prepare(directory.path());
        Program { directory, durability: "every" }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn start(&self, steps: &str, variables: &[(&str, &str)]) -> Running {
        let child = Command::new(env::current_exe().expect("the path of the test program"))
            .args(["program::child", "--exact", "--nocapture", "--test-threads=1"])
            .env(program::DIRECTORY, self.directory.path())
            .env(program::STEPS, steps)
            .env(program::DURABILITY, self.durability)
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the child starts");
        Running(child)
    }

    /// Returns the positions of its sources after the program has ended.
    pub fn resumed(&self) -> (u64, u64) {
        let read = |name| fs::read_to_string(self.path(name)).expect(name).parse().expect("a number");
        (read("bank"), read("clock"))
    }

    /// Returns whether a run has resumed after the progress of an earlier one.
    pub fn has_resumed(&self) -> bool {
        self.path("bank.resumed").exists()
    }

    /// Keeps the files for inspection, and returns their directory.
    pub fn keep(self) -> String {
        self.directory.keep().display().to_string()
    }

    /// Runs the program to its end.
    pub fn run(&self, steps: &str, variables: &[(&str, &str)]) -> Ended {
        self.start(steps, variables).wait()
    }

    /// Runs the program to its end, which must be successful.
    #[track_caller]
    pub fn finish(&self, steps: &str) {
        let ended = self.run(steps, &[]);
        assert!(ended.status.success(), "{}", ended.error);
    }
}

pub struct Running(Child);

impl Running {
    pub fn kill(mut self) {
        // The process may have ended by itself, and then the call fails.
        let _ = self.0.kill();
        self.0.wait().expect("the child ends");
    }

    #[track_caller]
    pub fn wait(mut self) -> Ended {
        let mut stderr = self.0.stderr.take().expect("it is piped");
        let reader = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text)
        });
        let until = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.0.try_wait().expect("the child can be waited for") {
                break status;
            }
            if Instant::now() > until {
                let _ = self.0.kill();
                panic!("the child hangs");
            }
            thread::sleep(Duration::from_millis(1));
        };
        let text = reader.join().expect("the reader ends").unwrap_or_default();
        let error = text.lines().find_map(|line| line.strip_prefix('@')).unwrap_or(&text).to_owned();
        Ended { status, error }
    }
}

/// The end of a child process.
pub struct Ended {
    pub status: ExitStatus,
    /// The error output of the child.
    pub error: String,
}

impl Ended {
    /// Returns whether the child was killed rather than having exited.
    pub fn has_crashed(&self) -> bool {
        self.status.code().is_none()
    }
}
