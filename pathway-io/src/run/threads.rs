//! Starting the threads of a pipeline.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread under a name. A NUL, which a system's thread names cannot hold, may stand in a connector's name or
/// in a path, and is no reason to fail.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.replace('\0', "?")).spawn(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_any_name() {
        let thread = spawn("a\0b", || std::thread::current().name().map(str::to_owned)).unwrap();
        assert_eq!(thread.join().unwrap().as_deref(), Some("a?b"));
    }
}
