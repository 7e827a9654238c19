//! trybuild cases of the diagnostics; see `tests/`.
