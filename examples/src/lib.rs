//! Runnable programs; see the `[[example]]` targets.
