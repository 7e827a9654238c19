//! A replacement for `AsyncSubject` without the feature `async`. With it, an `async fn run` is one error, in which
//! `#[connector]` names the feature, and not also a failed import.

use std::marker::PhantomData;

/// Pushes rows from a task (feature `async`).
#[doc(hidden)]
#[derive(Debug)]
pub struct AsyncSubject<S, O = ()>(PhantomData<fn(S, O)>);
