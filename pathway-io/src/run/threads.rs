//! Starting the threads of a pipeline.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread with a name. A connector's name or a path may contain a NUL, which thread names cannot, so each NUL
/// becomes `?`.
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
