//! Reasons why PostgreSQL cannot hold a value: [`Fault`].

/// The reason why PostgreSQL cannot hold a value.
pub(super) type Fault = &'static str;

pub(super) const NUL: Fault = "a text with a NUL character, which PostgreSQL cannot hold; replace it in the source";
pub(super) const RANGE: Fault = "a date or time that PostgreSQL does not have";
pub(super) const NANOS: Fault =
    "a time with more digits than microseconds, which PostgreSQL would round: two keys could become one";
pub(super) const FORM: Fault = "a value of a form that this sink does not know";
