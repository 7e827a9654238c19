//! The programs that the processes of a cluster run.

use std::path::Path;
use std::thread;
use std::time::Duration;

use pathway_io::dataflow::{Partition, compute};
use pathway_io::{Commit, Pipeline, RunResult, Schema, Sink, Subject, connector, csv};

use crate::common::source;

#[derive(Schema)]
#[schema(dataflow)]
pub struct Word {
    #[schema(primary_key)]
    pub key: u32,
    pub word: String,
}

/// The words without their keys.
#[derive(Schema)]
#[schema(dataflow)]
struct Spelling {
    word: String,
}

#[derive(Schema)]
#[schema(dataflow)]
pub struct Count {
    #[schema(primary_key)]
    word: String,
    n: i64,
}

/// Words that are added, changed and removed in twenty commits.
pub fn counting(pipeline: &Pipeline, output: &Path, endless: bool) {
    let words = pipeline.read(source(move |words: Subject<Word>| {
        for commit in 0..20u32 {
            for key in 0..50 {
                let word = format!("word {}", (key * 7 + commit * 3) % 11);
                words.next(Word { key: key + commit, word })?;
            }
            words.remove(commit * 2)?;
            words.commit()?;
        }
        if endless {
            words.wait_closed()?;
        }
        Ok(())
    }));
    let counts =
        words.compute(|words| words.map(|word| word.word).count().map(|(word, n)| Count { word, n: n as i64 }));
    let both = compute((&words, &counts), |_, (words, counts)| {
        let words = words.map(|word| (word.word, word.key));
        let counts = counts.map(|count| (count.word, count.n));
        words.join_map(counts, |word, key, n| Count { word: format!("{word}/{key}"), n: *n })
    });
    csv::write(&counts, output);
    csv::write(&both, output.with_extension("both.csv"));
    let projected = words
        .columns::<Spelling>()
        .compute(|words| words.map(|word| word.word).count().map(|(word, n)| Count { word, n: n as i64 }));
    csv::write(&projected, output.with_extension("projected.csv"));
}

/// Words of a partitioned source whose partitions push the same keys. All partitions except the first can be idle.
#[derive(Clone)]
pub struct Parts {
    silent: bool,
}

#[connector]
impl Parts {
    fn run(&mut self, words: Subject<Word>, lines: Subject<Line>, part: Partition) -> RunResult {
        if self.silent && part.index > 0 {
            words.wait_closed()?;
        }
        for commit in 0..10 {
            for key in 0..40 {
                words.next(Word { key, word: format!("{} of {} in {commit}", part.index, part.count) })?;
                lines.next(Line { part: part.index as u64, weight: f64::NAN, text: format!("\"{key}\",{commit}") })?;
            }
            words.remove(40)?;
            words.commit()?;
        }
        words.next(Word { key: 40, word: "the last".into() })?;
        words.commit()?;
        if self.silent {
            words.wait_closed()?;
        }
        Ok(())
    }
}

/// A source of which each partition has a bad row.
#[derive(Clone)]
pub struct BadParts;

#[connector]
impl BadParts {
    fn run(&mut self, words: Subject<Word>, part: Partition) -> RunResult {
        words.next_json(format!(r#"{{"key": {}, "word": "good"}}"#, part.index))?;
        words.next_json(format!(r#"{{"key": "bad {}"}}"#, part.index))?;
        Ok(())
    }
}

#[derive(Schema)]
#[schema(append_only, dataflow)]
pub struct Line {
    part: u64,
    weight: f64,
    text: String,
}

pub fn in_parts(pipeline: &Pipeline, output: &Path, silent: bool) {
    let (words, lines) = pipeline.read(Parts { silent });
    let counts =
        words.compute(|words| words.map(|word| word.word).count().map(|(word, n)| Count { word, n: n as i64 }));
    csv::write(&counts, output);
    let projected = words
        .columns::<Spelling>()
        .compute(|words| words.map(|word| word.word).count().map(|(word, n)| Count { word, n: n as i64 }));
    csv::write(&projected, output.with_extension("projected.csv"));
    csv::write(&words, output.with_extension("words.csv"));
    csv::write(&lines, output.with_extension("lines.csv"));
    csv::write_with(&words, output.with_file_name("each.csv"), csv::Options::new().per_worker());
}

/// A sink whose close takes a while, or never ends.
pub struct Slow(pub Option<Duration>);

impl Sink<Count> for Slow {
    fn write(&mut self, _commit: &Commit<Count>) -> RunResult {
        Ok(())
    }

    fn close(&mut self) -> RunResult {
        match self.0 {
            Some(time) => thread::sleep(time),
            None => loop {
                thread::park();
            },
        }
        Ok(())
    }
}

/// A source that waits for the stop and then takes a while, with a sink that does the same.
pub fn slow(pipeline: &Pipeline, output: &Path, source_takes: Option<Duration>, sink: Slow) {
    let words = pipeline.read(source(move |words: Subject<Word>| {
        words.next(Word { key: 1, word: "x".into() })?;
        words.commit()?;
        if let Some(time) = source_takes {
            let _ = words.wait_closed();
            thread::sleep(time);
        }
        Ok(())
    }));
    let counts =
        words.compute(|words| words.map(|word| word.word).count().map(|(word, n)| Count { word, n: n as i64 }));
    csv::write(&counts, output);
    counts.write_to(sink);
}

/// Exactly one of all workers sees the word that makes it panic.
pub fn panicking(pipeline: &Pipeline, output: &Path) {
    let words = pipeline.read(source(|words: Subject<Word>| {
        for key in 0..20 {
            words.next(Word { key, word: format!("word {key}") })?;
        }
        words.commit()?;
        Ok(words.wait_closed()?)
    }));
    let counts = words.compute(|words| {
        words
            .map(|word| (word.word, ()))
            .reduce(|word, _, output| {
                assert!(word != "word 13", "no 13");
                output.push(((), 1));
            })
            .map(|(word, ())| Count { word, n: 1 })
    });
    csv::write(&counts, output);
}

/// A row that panics if it is sent to another process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Schema)]
struct Own {
    part: u64,
}

impl serde::Serialize for Own {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("a row was sent to another process")
    }
}

impl<'de> serde::Deserialize<'de> for Own {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("a row was received from another process")
    }
}

/// The table between the input and the output has no sink.
pub fn between(pipeline: &Pipeline, output: &Path) {
    let (_, lines) = pipeline.read(Parts { silent: false });
    let own = lines.compute(|lines| lines.map(|line| Own { part: line.part }));
    let counts = own
        .compute(|own| own.map(|own| own.part).count().map(|(part, n)| Count { word: part.to_string(), n: n as i64 }));
    csv::write(&counts, output);
}

/// A partitioned table with or without a sink.
pub fn one_table(pipeline: &Pipeline, output: Option<&Path>) {
    let (words, _) = pipeline.read(Parts { silent: false });
    if let Some(output) = output {
        csv::write(&words, output);
    }
}

/// The files of the workers are in a directory that does not exist.
pub fn misplaced(pipeline: &Pipeline, output: &Path) {
    let (words, _) = pipeline.read(Parts { silent: false });
    csv::write_with(&words, output.with_file_name("missing/each.csv"), csv::Options::new().per_worker());
}

/// Tables of an older version of the program, in which a column had another name or type.
mod older {
    use super::{Schema, Subject};

    #[derive(Schema)]
    #[schema(dataflow)]
    pub struct Word {
        #[schema(primary_key)]
        pub key: u32,
        pub text: String,
    }

    #[derive(Schema)]
    #[schema(dataflow)]
    pub struct Count {
        #[schema(primary_key)]
        pub word: String,
        pub n: u8,
    }

    #[derive(Clone)]
    pub struct Parts;

    #[super::connector]
    impl Parts {
        fn run(&mut self, words: Subject<Word>, _part: super::Partition) {
            drop(words);
        }
    }
}

#[derive(Clone)]
struct NoWords;

#[connector]
impl NoWords {
    fn run(&mut self, words: Subject<Word>, _part: Partition) {
        drop(words);
    }
}

/// One partitioned table.
pub fn read(pipeline: &Pipeline, output: &Path, is_old: bool) {
    if is_old {
        csv::write(&pipeline.read(older::Parts), output);
    } else {
        csv::write(&pipeline.read(NoWords), output);
    }
}

/// One computation, whose input or output is from the older version.
pub fn computed(pipeline: &Pipeline, output: &Path, has_old_input: bool, has_old_output: bool) {
    if has_old_input {
        let words = pipeline.read(source(|_: Subject<older::Word>| Ok(())));
        csv::write(&words.compute(|words| words.map(|word| Count { word: word.text, n: 1 })), output);
        return;
    }
    let words = pipeline.read(source(|_: Subject<Word>| Ok(())));
    if has_old_output {
        csv::write(&words.compute(|words| words.map(|word| older::Count { word: word.word, n: 1 })), output);
    } else {
        csv::write(&words.compute(|words| words.map(|word| Count { word: word.word, n: 1 })), output);
    }
}
