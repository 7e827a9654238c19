//! Column types that are strings of a certain form in JSON: types of the standard library, and types of other crates,
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
