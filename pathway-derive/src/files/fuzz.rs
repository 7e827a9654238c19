//! The fuzz targets; see `pathway-io/fuzz`. A test runs the committed corpus through the same functions.

use super::data_type::DataType;
use super::lock::Lock;
use super::rows::{Format, Rows, parse};

/// Reads a sample in either form, whole and cut off. The line numbers of the rows must increase.
pub fn sample(data: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n' || *byte == b'\r').count();
    for format in [Format::JsonLines, Format::Csv] {
        for is_cut in [false, true] {
            let mut before = 0;
            let Rows { rows, fault } = parse(data, is_cut, format);
            assert!(rows.len() <= 1000);
            for line in rows.iter().map(|row| row.line).chain(fault.map(|fault| fault.line)) {
                assert!((before + 1..=lines.max(1)).contains(&line) || line == before && before > 0);
                before = line;
            }
        }
    }
}

/// Parses the data as a lock. A lock that was parsed is printed and parsed again.
pub fn lock(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(data_type) = DataType::parse(text) {
        assert_eq!(data_type.to_string(), text);
    }
    match Lock::parse(text) {
        Ok(lock) => assert_eq!(Lock::parse(&lock.print()), Ok(lock)),
        Err(fault) => assert!(fault.line <= text.matches('\n').count() + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Runs the committed corpus of a target. Inputs that the fuzzer finds are added to it.
    fn replay(name: &str, target: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pathway-io/fuzz/corpus").join(name);
        let mut inputs = 0;
        for entry in fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display())) {
            target(&fs::read(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0, "{} is empty", corpus.display());
    }

    #[test]
    fn sample() {
        replay("sample", super::sample);
    }

    #[test]
    fn lock() {
        replay("lock", super::lock);
    }
}
