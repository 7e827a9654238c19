//! The names of the checks of `connector_tests!`, and what each is told and returns.

/// The length of the source.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    /// `run` returns by itself.
    Ends,
    /// `run` returns only after a stop, which comes after so many rows.
    EndlessAfter(usize),
}

/// The result of a check; the error says which promise is broken.
pub type Verdict = Result<(), String>;

/// A check, by the name of its test.
#[allow(non_camel_case_types, reason = "they are the names of functions")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// See `connector_tests!`.
    has_a_row,
    /// See `connector_tests!`.
    every_row_fits,
    /// See `connector_tests!`.
    stops_before_a_row,
    /// See `connector_tests!`.
    stops_between_rows,
    /// See `connector_tests!`.
    stops_in_a_full_backlog,
    /// See `connector_tests!`.
    stops_pushing_after_closed,
    /// See `connector_tests!`.
    survives_a_failing_sink,
    /// See `connector_tests!`.
    appends_no_key_twice,
    /// See `connector_tests!`.
    removes_only_keys_that_exist,
    /// See `connector_tests!`.
    resumes_at_every_offset,
    /// See `connector_tests!`.
    sets_offsets_within_the_backlog,
    /// See `connector_tests!`.
    sends_the_same_table_twice,
    /// See `connector_tests!`.
    partitions_are_disjoint,
    /// See `connector_tests!`.
    restarts_after_each_row,
    /// See `connector_tests!`.
    can_be_dropped_at_each_await,
}

impl Check {
    /// All checks.
    pub const ALL: &'static [Check] = &[
        Check::has_a_row,
        Check::every_row_fits,
        Check::stops_before_a_row,
        Check::stops_between_rows,
        Check::stops_in_a_full_backlog,
        Check::stops_pushing_after_closed,
        Check::survives_a_failing_sink,
        Check::appends_no_key_twice,
        Check::removes_only_keys_that_exist,
        Check::resumes_at_every_offset,
        Check::sets_offsets_within_the_backlog,
        Check::sends_the_same_table_twice,
        Check::partitions_are_disjoint,
        Check::restarts_after_each_row,
        Check::can_be_dropped_at_each_await,
    ];
}
