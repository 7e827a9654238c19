//! A replacement for `AsyncSubject` without the feature `async`. Because of it, an `async fn run` causes one error, in
//! which `#[connector]` names the feature, and not a failed import as well.

use std::marker::PhantomData;

/// Pushes rows from a task (feature `async`).
#[doc(hidden)]
#[derive(Debug)]
pub struct AsyncSubject<S, O = ()>(PhantomData<fn(S, O)>);
