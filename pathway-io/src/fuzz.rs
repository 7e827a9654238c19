//! The fuzz targets, one function each, which panics if a promise is broken.
//!
//! They are here, and not in the fuzzer's own crate (`pathway-io/fuzz`), for two reasons: they compare private parts of
//! the runtime with other libraries, and an ordinary test runs the committed corpus through the same functions on the
//! stable toolchain. The module exists only in tests and under `--cfg fuzzing`, which `cargo fuzz` sets.

pub use crate::rows::decode::fuzz::next_json;
pub use crate::schema::infer::fuzz::infer;
pub use crate::sink::csv::fuzz::csv;

/// Runs the target in [`persist::fuzz`](crate::persist::fuzz), which is beside the code that it tests.
pub fn checkpoint(data: &[u8]) {
    crate::persist::fuzz::checkpoint(data);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Runs the committed corpus of a target. Inputs that the fuzzer finds are added to it.
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
