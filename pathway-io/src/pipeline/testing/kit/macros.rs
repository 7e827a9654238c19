//! The macros of the test kit.

/// Generates a `#[test]` for each promise of a connector.
///
/// The name before the colon becomes the module of the tests. The expression after it makes the connector, and is
/// evaluated for each run, several times in a test. Declare a source that does not end by itself as
/// `endless, after 20 rows`: the tests stop it after that number of rows. The macro needs the feature `persist`, which
/// is on by default.
///
/// A run that does not end is stopped after at most 60 s. If its source is declared as `ends`, the test then fails.
///
/// A test whose promise does not concern the connector passes. The last two tests also pass for a source that sends
/// other rows in each run, and for one that has neither an end nor offsets, because there is nothing to compare. If the
/// rows depend on time, two runs can be equal by chance. In this case, give each run a different number of rows.
///
/// A connector with several tables is tested table by table: keys and rows are compared within a table, and the order
/// across tables does not matter. Each table must have a row.
///
/// | test | promise |
/// |---|---|
/// | `has_a_row` | the source has a row for each table, so that the other tests check something |
/// | `every_row_fits` | no row is refused by the schema |
/// | `stops_before_a_row`, `stops_between_rows`, `stops_in_a_full_backlog` | a stop ends `run` within 5 s, and `on_stop` is called once |
/// | `stops_pushing_after_closed` | `run` returns after a push has returned `Closed` |
/// | `survives_a_failing_sink` | the failure of a sink ends `run`, and is the only failure |
/// | `appends_no_key_twice` | `append_only`: no key comes twice |
/// | `removes_only_keys_that_exist` | each removal has a key that was pushed to the same table |
/// | `resumes_at_every_offset` | from each offset, the source sends the rows that one run sends after it; offsets survive serde |
/// | `sets_offsets_within_the_backlog` | an offset comes before the backlog is full |
/// | `sends_the_same_table_twice` | `full_snapshot`: two runs send the same tables |
/// | `partitions_are_disjoint` | 1, 2 and 3 partitions together have the same rows, each once |
/// | `restarts_after_each_row` | `run` is interrupted after a row and called again: nothing is missing, and with offsets each row comes once |
/// | `can_be_dropped_at_each_await` | the same for an `async fn run` whose future is dropped at each `.await` |
///
/// ```
/// use pathway_io::{RunResult, Schema, Subject, connector};
///
/// #[derive(Schema)]
/// struct Line { n: u64 }
///
/// struct Lines;
///
/// #[connector]
/// impl Lines {
///     fn run(&mut self, lines: Subject<Line, u64>) -> RunResult {
///         for n in lines.resume().unwrap_or(0)..10 {
///             lines.next_at(n + 1, Line { n })?;
///         }
///         Ok(())
///     }
/// }
///
/// // In a module for tests, or in a file of `tests`:
/// pathway_io::connector_tests! { lines: Lines, ends }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! connector_tests {
    ($module:ident: $connector:expr, ends) => {
        $crate::connector_tests! { @suite $module, $connector, $crate::__private0::testing::Length::Ends }
    };
    ($module:ident: $connector:expr, endless, after $rows:literal rows) => {
        $crate::connector_tests! {
            @suite $module, $connector, $crate::__private0::testing::Length::EndlessAfter($rows)
        }
    };
    (@suite $module:ident, $connector:expr, $length:expr) => {
        mod $module {
            // The connector's expression may name only paths from the crate root.
            #[allow(unused_imports)]
            use super::*;

            fn check(check: $crate::__private0::testing::Check) {
                let suite = $crate::__private0::testing::Suite::new(|| $connector, $length);
                if let ::core::result::Result::Err(broken) = suite.check(check) {
                    ::core::panic!("{broken}");
                }
            }

            $crate::connector_tests! { @each [$crate::connector_tests!] @tests }
        }
    };
    // The list of the checks, after the other tokens of a macro.
    (@each [$($macro:tt)+] $($before:tt)*) => {
        $($macro)+ {
            $($before)*
            has_a_row
            every_row_fits
            stops_before_a_row
            stops_between_rows
            stops_in_a_full_backlog
            stops_pushing_after_closed
            survives_a_failing_sink
            appends_no_key_twice
            removes_only_keys_that_exist
            resumes_at_every_offset
            sets_offsets_within_the_backlog
            sends_the_same_table_twice
            partitions_are_disjoint
            restarts_after_each_row
            can_be_dropped_at_each_await
        }
    };
    (@tests $($name:ident)+) => {
        $(
            #[::core::prelude::v1::test]
            fn $name() {
                check($crate::__private0::testing::Check::$name);
            }
        )+
    };
}

/// Generates a `#[test]` for each promise of a [`Sink`](crate::Sink).
///
/// The first closure makes the sink, with a new directory that the sink may write to. It is called several times with
/// one directory to start the sink again after an end without a flush. The second closure reads the output, as JSON
/// objects in the form in which [`next_json`](crate::Subject::next_json) reads rows:
///
/// - `updates:` returns each update in order, with its `diff` and, if the output has it, its `time`.
/// - `rows:` returns the rows that the table has now, in any order.
///
/// The name before the colon becomes the module of the tests. The rows are of
/// [`testing::EveryColumn`](crate::testing::EveryColumn). For a sink of one schema, write `warehouse of Cat: ..`. The
/// values are made from the schema. If a column's type refuses them, as an enum does, give the column an
/// `#[schema(example = ..)]`.
///
/// | test | promise |
/// |---|---|
/// | `writes_every_row` | each row of a commit is written once |
/// | `keeps_the_order_of_commits` | the commits are written in the order of their times |
/// | `shows_commits_after_a_flush` | a reader sees whole commits after each flush |
/// | `closes_an_empty_table` | without a row, the output is empty and can be read |
/// | `takes_removals` | a `diff` of -1 removes a row |
/// | `keeps_nulls`, `keeps_empty_values`, `keeps_quotes`, `keeps_nul`, `keeps_extremes`, `keeps_nan_and_infinity` | a value is written as it is, or a method returns an error |
///
/// If the sink [is transactional](crate::Sink::is_transactional):
///
/// | test | promise |
/// |---|---|
/// | `recovers_nothing_at_first` | without a commit, `recover` returns `None` |
/// | `recovers_its_last_commit` | `recover` returns the time of the last commit, and changes nothing |
/// | `recovers_whole_commits` | after a kill between `write` and `flush`, the sink contains exactly the rows of the commits up to the time |
/// | `takes_the_commits_that_it_misses` | once the sink has received the commits after its time, it contains each commit once |
/// | `undoes_what_was_not_flushed` | `recover` on the same sink undoes all writes since the last flush |
/// | `keeps_its_time_without_a_commit` | a flush with nothing to write keeps the time |
///
/// For `recovers_whole_commits`, the test binary runs this test in a second process, which makes the sink in the same
/// directory, writes, and is killed. The sink must therefore find its storage from the directory. If your test starts a
/// server, write its address to a file in the directory, and read the file if it exists. If the sink has written
/// nothing to the directory and recovers nothing, its rows are in the memory of the test, and the kit drops the sink
/// instead of killing the process. In the other tests, the kit also drops a sink to end it without a flush.
///
/// The kit writes no negative zero.
///
/// ```
/// use std::fs::File;
/// use std::io::Write;
/// use std::path::PathBuf;
/// use pathway_io::{Commit, RunResult, Schema, Sink, TableSchema};
/// use serde_json::{Value, json};
///
/// #[derive(Schema)]
/// struct Line { n: u64 }
///
/// struct Numbers { path: PathBuf, file: Option<File> }
///
/// impl Sink<Line> for Numbers {
///     fn open(&mut self, _: &'static TableSchema) -> RunResult {
///         self.file = Some(File::create(&self.path)?);
///         Ok(())
///     }
///
///     fn write(&mut self, commit: &Commit<Line>) -> RunResult {
///         let mut file = self.file.as_ref().ok_or("it is not open")?;
///         for update in commit.iter() {
///             writeln!(file, "{}", update.row.n)?;
///         }
///         Ok(())
///     }
/// }
///
/// pathway_io::sink_tests! {
///     numbers of Line: |directory| Numbers { path: directory.join("numbers"), file: None },
///     updates: |directory| {
///         let text = std::fs::read_to_string(directory.join("numbers")).unwrap();
///         text.lines().map(|line| json!({"n": line.parse::<u64>().unwrap(), "diff": 1})).collect()
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! sink_tests {
    ($module:ident: $sink:expr, updates: $read:expr $(,)?) => {
        $crate::sink_tests! { $module of $crate::testing::EveryColumn: $sink, updates: $read }
    };
    ($module:ident: $sink:expr, rows: $read:expr $(,)?) => {
        $crate::sink_tests! { $module of $crate::testing::EveryColumn: $sink, rows: $read }
    };
    ($module:ident of $schema:ty: $sink:expr, updates: $read:expr $(,)?) => {
        $crate::sink_tests! { @suite $module, $schema, $sink, Updates, $read }
    };
    ($module:ident of $schema:ty: $sink:expr, rows: $read:expr $(,)?) => {
        $crate::sink_tests! { @suite $module, $schema, $sink, Rows, $read }
    };
    (@suite $module:ident, $schema:ty, $sink:expr, $form:ident, $read:expr) => {
        mod $module {
            // The expressions may name only paths from the crate root.
            #[allow(unused_imports)]
            use super::*;

            fn check(check: $crate::__private0::testing::SinkCheck) {
                let form = $crate::__private0::testing::Form::$form;
                let suite = $crate::__private0::testing::SinkSuite::<$schema, _, _>::new($sink, form, $read);
                let suite = suite.in_test(::core::concat!(::core::module_path!(), "::recovers_whole_commits"));
                if let ::core::result::Result::Err(broken) = suite.check(check) {
                    ::core::panic!("{broken}");
                }
            }

            $crate::sink_tests! { @each [$crate::sink_tests!] @tests }
        }
    };
    // The list of the checks, after the other tokens of a macro.
    (@each [$($macro:tt)+] $($before:tt)*) => {
        $($macro)+ {
            $($before)*
            writes_every_row
            keeps_the_order_of_commits
            shows_commits_after_a_flush
            closes_an_empty_table
            takes_removals
            keeps_nulls
            keeps_empty_values
            keeps_quotes
            keeps_nul
            keeps_extremes
            keeps_nan_and_infinity
            recovers_nothing_at_first
            recovers_its_last_commit
            recovers_whole_commits
            takes_the_commits_that_it_misses
            undoes_what_was_not_flushed
            keeps_its_time_without_a_commit
        }
    };
    (@tests $($name:ident)+) => {
        $(
            #[::core::prelude::v1::test]
            fn $name() {
                check($crate::__private0::testing::SinkCheck::$name);
            }
        )+
    };
}
