//! The names of the checks of `connector_tests!` and `sink_tests!`, with their argument and result.

/// The length of the source.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    /// `run` returns by itself.
    Ends,
    /// `run` returns only after a stop, which comes after this many rows.
    EndlessAfter(usize),
}

/// The result of a check; the error says which promise is broken.
pub type Verdict = Result<(), String>;

macro_rules! checks {
    ($(#[doc = $doc:literal])* $checks:ident: $($name:ident)*) => {
        $(#[doc = $doc])*
        #[allow(non_camel_case_types, missing_docs, reason = "they are the names of functions")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $checks {
            $($name,)*
        }

        impl $checks {
            /// All checks.
            pub const ALL: &'static [$checks] = &[$($checks::$name,)*];
        }
    };
}

crate::connector_tests! {
    @each [checks!]
    /// A check of a connector, by the name of its test.
    Check:
}

crate::sink_tests! {
    @each [checks!]
    /// A check of a sink, by the name of its test.
    SinkCheck:
}
