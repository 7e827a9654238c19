//! Stands where `AsyncSubject` is with the feature `async`, so that an `async fn run` without it is one error, in which
//! `#[connector]` names the feature, and not an import that fails besides.

use std::marker::PhantomData;

/// Pushes rows from a task (feature `async`).
#[doc(hidden)]
#[derive(Debug)]
pub struct AsyncSubject<S, O = ()>(PhantomData<fn(S, O)>);
