//! Column types that are strings of a certain form in JSON: those of the standard library, and those of other crates,
//! each behind the feature with the crate's name.

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "rust_decimal")]
mod decimal;
mod ip;
pub(crate) mod iso8601;
#[cfg(feature = "jiff")]
mod jiff;
pub(crate) mod system_time;
pub(crate) mod text_form;
#[cfg(feature = "uuid")]
mod uuid;
