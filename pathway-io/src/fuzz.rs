//! What the fuzzer calls, one function for each target: it panics where a promise is broken.
//!
//! They are here, and not in the fuzzer's own crate (`pathway-io/fuzz`), because they hold inner parts of the runtime
//! to other libraries, and because the committed corpus is run through the same functions as an ordinary test, on the
//! stable toolchain. The module exists for tests and under `--cfg fuzzing`, which `cargo fuzz` sets, alone.

pub use crate::rows::decode::fuzz::next_json;
pub use crate::schema::infer::fuzz::infer;
pub use crate::sink::csv::fuzz::csv;

/// See [`persist::fuzz`](crate::persist::fuzz), which is with what it looks into.
pub fn checkpoint(data: &[u8]) {
    crate::persist::fuzz::checkpoint(data);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Runs the committed corpus of a target; what the fuzzer finds is added to it.
    fn replay(name: &str, target: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut inputs = 0;
        for entry in fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display())) {
            target(&fs::read(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0, "{} is empty", corpus.display());
    }

    #[test]
    fn next_json() {
        replay("next_json", super::next_json);
    }

    #[test]
    fn checkpoint() {
        replay("checkpoint", super::checkpoint);
    }

    #[test]
    fn csv() {
        replay("csv", super::csv);
    }

    #[test]
    fn infer() {
        replay("infer", super::infer);
    }
}
