//! Column types of other crates, each behind the feature that has the crate's name.

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "rust_decimal")]
mod decimal;
#[cfg(any(feature = "chrono", feature = "jiff"))]
mod iso8601;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(any(feature = "chrono", feature = "jiff"))]
mod signed;
#[cfg(any(feature = "chrono", feature = "jiff", feature = "rust_decimal", feature = "uuid"))]
pub(crate) mod text_form;
#[cfg(feature = "uuid")]
mod uuid;
