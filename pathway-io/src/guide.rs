//! Guides: a tutorial, a cookbook, an introduction to computations, and a translation from Pathway.
//!
//! | module | read it to |
//! |---|---|
//! | [`tutorial`] | write your first source, step by step, and see each step's output |
//! | [`cookbook`] | solve one task: poll an API, wrap an SDK, write a sink, test a connector |
//! | [`dataflow`] | filter, join, group and iterate over tables, if you know SQL or pandas |
//! | [`coming_from_pathway`] | translate a connector, a program or a schema from Pathway's Python |
//!
//! The repository has further pages: the
//! [guarantees](https://github.com/pathway-io/pathway-io/blob/main/docs/guarantees.md),
//! [errors](https://github.com/pathway-io/pathway-io/blob/main/docs/errors.md), and
//! [durability](https://github.com/pathway-io/pathway-io/blob/main/docs/durability.md).

#[doc = include_str!("../docs/tutorial.md")]
pub mod tutorial {}

#[cfg(any(not(doctest), feature = "persist"))]
#[doc = include_str!("../docs/cookbook.md")]
pub mod cookbook {}

#[cfg(any(not(doctest), feature = "dataflow"))]
#[doc = include_str!("../docs/dataflow.md")]
pub mod dataflow {}

#[doc = include_str!("../docs/coming-from-pathway.md")]
pub mod coming_from_pathway {}
