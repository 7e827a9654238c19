//! Reasons why PostgreSQL cannot hold a value: [`PostgresFault`].

/// The reason why PostgreSQL cannot hold a value.
pub(super) type PostgresFault = &'static str;

pub(super) const NUL: PostgresFault =
    "a text with a NUL character, which PostgreSQL cannot hold; replace it in the source";
pub(super) const RANGE: PostgresFault = "a date or time that PostgreSQL does not have";
pub(super) const NANOS: PostgresFault =
    "a time with more digits than microseconds, which PostgreSQL would round: two keys could become one";
pub(super) const FORM: PostgresFault = "a value of a form that this sink does not know";
