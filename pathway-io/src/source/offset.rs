//! The position of a source in its input: its [`Offset`].
//!
//! An offset is committed together with the rows that it covers. The last offset that was set is kept beside the
//! pending rows, type-erased, in the [`Offsets`] of the intake. A cut *seals* the offset, which means that it becomes
//! part of the commit.

use std::any::{Any, TypeId, type_name};
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "persist")]
use crate::run::error::BoxError;
use crate::run::error::FailureKind;
use crate::run::guard::{dropped, guarded};
use crate::run::lock::Lock;

/// The position of a source in its input, which [`Subject::resume`](crate::Subject::resume) returns after a restart.
///
/// The trait is implemented for every type that serde can write and read and that is `Clone` and `Send`, such as a
/// number, a string, a map from partitions to positions, or your own struct. An offset is stored as MessagePack, which
/// does not distinguish `Some(None)` or `Some(())` from `None`.
///
/// ```
/// use pathway_io::{Offset, Subject, connector};
///
/// #[derive(pathway_io::Schema)]
/// struct Line { text: String }
///
/// struct Lines(Vec<&'static str>);
///
/// #[connector]
/// impl Lines {
///     fn run(&mut self, lines: Subject<Line, usize>) -> pathway_io::RunResult {
///         let from = lines.resume().unwrap_or(0);
///         for (i, text) in self.0.iter().enumerate().skip(from) {
///             // The position after the line, from which a restart continues.
///             lines.next_at(i + 1, Line { text: (*text).into() })?;
///         }
///         Ok(())
///     }
/// }
/// # fn is_offset<O: Offset>() {}
/// # is_offset::<usize>();
/// # assert_eq!(pathway_io::testing::collect(Lines(vec!["a", "b"]))?.len(), 2);
/// # Ok::<(), pathway_io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an offset",
    label = "not an offset",
    note = "an offset implements serde's `Serialize` and `DeserializeOwned`, `Clone` and `Send`, and borrows nothing"
)]
pub trait Offset: Serialize + DeserializeOwned + Clone + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Clone + Send + 'static> Offset for T {}

/// A type-erased offset.
pub(crate) trait AnyOffset: Any + Send {
    /// Encodes the offset for a checkpoint, as MessagePack. JSON is unsuitable because the keys of its objects must be
    /// strings, and the keys of a map from partitions often are not.
    #[cfg(feature = "persist")]
    fn encode(&self) -> Result<Vec<u8>, BoxError>;
    /// Returns the offset as JSON, for the quarantine file.
    fn to_json(&self) -> serde_json::Value;
    fn boxed_clone(&self) -> Box<dyn AnyOffset>;
}

impl<O: Offset> AnyOffset for O {
    #[cfg(feature = "persist")]
    fn encode(&self) -> Result<Vec<u8>, BoxError> {
        Ok(rmp_serde::to_vec_named(self)?)
    }

    fn to_json(&self) -> serde_json::Value {
        // A map whose keys are not strings has no JSON form. A bad row with such an offset is written without it.
        serde_json::to_value(self).unwrap_or_default()
    }

    fn boxed_clone(&self) -> Box<dyn AnyOffset> {
        Box::new(self.clone())
    }
}

/// The first panic in an offset's code outside of `run`. That code runs on the thread that makes a cut or drops an
/// offset, where its panic would be attributed to another part.
type OffsetFailure = Arc<Lock<Option<FailureKind>>>;

fn note<T>(failure: &OffsetFailure, result: Result<T, FailureKind>) -> Option<T> {
    let kind = match result {
        Ok(value) => return Some(value),
        Err(kind) => kind,
    };
    failure.lock().get_or_insert(kind);
    None
}

fn drop_offset<O>(offset: Option<O>, failure: &OffsetFailure) {
    if std::mem::needs_drop::<O>() {
        note(failure, dropped("the drop of its offset", offset));
    }
}

/// The offset of a commit. Its drop does not panic.
pub(crate) struct SealedOffset {
    offset: Option<Box<dyn AnyOffset>>,
    failure: OffsetFailure,
}

impl Deref for SealedOffset {
    type Target = dyn AnyOffset;

    fn deref(&self) -> &dyn AnyOffset {
        // The value is present until the drop.
        self.offset.as_deref().unwrap_or(&())
    }
}

impl Drop for SealedOffset {
    fn drop(&mut self) {
        drop_offset(self.offset.take(), &self.failure);
    }
}

/// The type of a connector's offsets, as a value.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct OffsetType {
    /// Whether the type is `()`, so that the connector has no offsets.
    pub(crate) is_unit: bool,
    pub(crate) name: &'static str,
    #[cfg(feature = "persist")]
    decode: fn(&[u8]) -> Result<Offsets, BoxError>,
}

impl OffsetType {
    pub(crate) fn of<O: Offset>() -> Self {
        OffsetType {
            is_unit: TypeId::of::<O>() == TypeId::of::<()>(),
            name: type_name::<O>(),
            #[cfg(feature = "persist")]
            decode: |bytes| Ok(Offsets::resumed(rmp_serde::from_slice::<O>(bytes)?)),
        }
    }

    /// Decodes the offset of a checkpoint, from which a source resumes.
    #[cfg(feature = "persist")]
    pub(crate) fn resume(self, bytes: &[u8]) -> Result<Offsets, BoxError> {
        (self.decode)(bytes)
    }
}

/// The offsets of one source, all of the same type.
#[derive(Default)]
pub(crate) struct Offsets {
    /// The offset that was set after the last cut.
    next: Option<Box<dyn AnyOffset>>,
    /// The offset of the last cut that had one, or the restored offset.
    last: Option<Box<dyn AnyOffset>>,
    failure: OffsetFailure,
}

impl Offsets {
    /// Returns the offsets of a source that resumes from `offset`.
    pub(crate) fn resumed<O: Offset>(offset: O) -> Self {
        Offsets { last: Some(Box::new(offset)), ..Offsets::default() }
    }

    #[inline]
    pub(crate) fn set<O: Offset>(&mut self, offset: O) {
        let next: Option<&mut dyn Any> = self.next.as_mut().map(|next| &mut **next as _);
        match next.and_then(<dyn Any>::downcast_mut) {
            Some(next) => drop_offset(Some(std::mem::replace(next, offset)), &self.failure),
            None => self.next = Some(Box::new(offset)),
        }
    }

    /// Returns whether an offset was set after the last cut.
    pub(crate) fn is_set(&self) -> bool {
        self.next.is_some()
    }

    /// Takes the offset for a commit.
    pub(crate) fn seal(&mut self) -> Option<SealedOffset> {
        let offset = self.next.take()?;
        let last = note(&self.failure, guarded("the clone of its offset", || offset.boxed_clone()));
        drop_offset(std::mem::replace(&mut self.last, last), &self.failure);
        Some(SealedOffset { offset: Some(offset), failure: Arc::clone(&self.failure) })
    }

    /// Forgets the offset that was set since the last cut.
    pub(crate) fn unset(&mut self) {
        drop_offset(self.next.take(), &self.failure);
    }

    /// Returns the offset of the last commit that had one.
    pub(crate) fn last<O: Offset>(&self) -> Option<O> {
        let last: &dyn Any = self.last.as_deref()?;
        last.downcast_ref().cloned()
    }

    /// Takes the first panic of an offset's code.
    pub(crate) fn take_failure(&self) -> Option<FailureKind> {
        self.failure.lock().take()
    }

    /// Drops all offsets. Returns the first panic.
    pub(crate) fn end(self) -> Option<FailureKind> {
        drop_offset(self.next, &self.failure);
        drop_offset(self.last, &self.failure);
        self.failure.lock().take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "persist")]
    #[track_caller]
    fn comes_back<O: Offset + PartialEq + std::fmt::Debug>(offset: O) {
        let resumed = OffsetType::of::<O>().resume(&offset.encode().unwrap()).unwrap();
        assert_eq!(resumed.last(), Some(offset));
    }

    #[cfg(feature = "persist")]
    #[test]
    fn an_offset_is_decoded_as_it_was_encoded() {
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        enum Position {
            Start,
            At(u64),
            Of { file: std::path::PathBuf, line: Option<u32> },
        }
        comes_back((u64::MAX, i64::MIN, u128::MAX, i128::MIN));
        comes_back((f64::MIN_POSITIVE, 'x', String::from("\u{0}"), vec![0_u8, 255]));
        comes_back((Some(7_u8), None::<u8>, [Some(true), None], ()));
        comes_back([Position::Start, Position::At(1), Position::Of { file: "log".into(), line: None }]);
        comes_back(std::collections::BTreeMap::from([(("topic".to_owned(), 3), Position::At(7))]));
        comes_back(std::collections::HashMap::<u32, Vec<Position>>::new());
        comes_back(serde_json::json!({"a": [1, -1, 1.5, null, {"b": "c"}]}));
    }

    #[test]
    fn an_offset_without_a_json_form_is_written_as_null() {
        let offset = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(offset.to_json(), serde_json::Value::Null);
        #[cfg(feature = "persist")]
        comes_back(offset);
    }
}
