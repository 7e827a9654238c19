//! The names of the checks of `connector_tests!` and `sink_tests!`, with their argument and result.

/// The length of the source.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    /// `run` returns by itself.
    Ends,
    /// `run` returns only after a stop, which comes after this many rows.
    EndlessAfter(usize),
}

/// The result of a check; the error says which promise is broken.
pub type Verdict = Result<(), String>;

macro_rules! checks {
    ($(#[doc = $doc:literal] $checks:ident by $tests:literal: $($name:ident)*;)*) => {
        $(
            #[doc = $doc]
            #[allow(non_camel_case_types, reason = "they are the names of functions")]
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub enum $checks {
                $(#[doc = $tests] $name,)*
            }

            impl $checks {
                /// All checks.
                pub const ALL: &'static [$checks] = &[$($checks::$name,)*];
            }
        )*
    };
}

checks! {
    /// A check of a connector, by the name of its test.
    Check by "See `connector_tests!`.":
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
    can_be_dropped_at_each_await;

    /// A check of a sink, by the name of its test.
    SinkCheck by "See `sink_tests!`.":
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
    keeps_its_time_without_a_commit;
}
