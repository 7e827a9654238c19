//! Compares the output of `infer` for each sample in `infer/` with the file beside it, and compiles that file against the sample.
//!
//! `TRYBUILD=overwrite cargo test -p ui-tests` stores the present output.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use pathway_io::schema::infer;

fn samples() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("infer");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension != "rs")).collect()
}

#[test]
fn the_struct_of_infer_compiles_against_its_sample() {
    let samples = samples();
    assert_eq!(samples.len(), 6);
    for sample in &samples {
        let name = sample.file_name().unwrap().to_str().unwrap();
        let stem = sample.file_stem().unwrap().to_str().unwrap();
        let inferred = infer(File::open(sample).unwrap()).unwrap().name(stem).sample(name);
        let source = format!("{inferred}\nfn main() {{}}\n");
        let expected = sample.with_extension("rs");
        if std::env::var("TRYBUILD").is_ok_and(|mode| mode == "overwrite") {
            fs::write(&expected, &source).unwrap();
        }
        let expected = fs::read_to_string(expected).unwrap_or_default();
        assert_eq!(source, expected.replace("\r\n", "\n"), "{name}");
    }
    trybuild::TestCases::new().pass("infer/*.rs");
}
