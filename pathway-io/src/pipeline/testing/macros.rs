//! The macros of the test kit.

/// Makes a `#[test]` of each promise of a connector with one table.
///
/// The expression is evaluated for each run, several times in a test. A source that does not end by itself is
/// declared `endless, after 20 rows`. A test whose promise does not concern the connector passes.
///
/// | test | promise |
/// |---|---|
/// | `has_a_row` | the source has a row, so that the other tests check something |
/// | `every_row_fits` | no row is refused by the schema |
/// | `stops_before_a_row`, `stops_between_rows`, `stops_in_a_full_backlog` | a stop ends `run` within 5 s, and `on_stop` is called once |
/// | `stops_pushing_after_closed` | `run` returns after a push has returned `Closed` |
/// | `survives_a_failing_sink` | the failure of a sink ends `run`, and is the only failure |
/// | `appends_no_key_twice` | `append_only`: no key comes twice |
/// | `removes_only_keys_that_exist` | a removal is of a key that was pushed |
/// | `resumes_at_every_offset` | from each offset, the source sends what one run sends after it; offsets survive serde |
/// | `sets_offsets_within_the_backlog` | an offset comes before the backlog is full |
/// | `sends_the_same_table_twice` | `full_snapshot`: two runs send one table |
/// | `partitions_are_disjoint` | 1, 2 and 3 partitions have the same rows, each once |
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

            $crate::connector_tests! {
                @tests
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
            }
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
