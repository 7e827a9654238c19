//! The macros of pathway-io: `#[derive(Schema)]` for rows, `#[derive(ColumnType)]` for the types of columns, `next!` to
//! push rows, and `#[connector]` for sources.
//!
//! Depend on `pathway-io`, which re-exports the macros and contains the traits and types that they use.
//!
//! Each macro has a folder. The folders of `Schema` and `#[connector]` contain these files:
//!
//! | file | content |
//! |---|---|
//! | `ast` | the model, which borrows the user's tokens |
//! | `attr` | parses the options |
//! | `check` | the rules that span several options |
//! | `expand` | turns the model into tokens |
//! | `fallback` | generates minimal impls after an error, so that one mistake causes one error |
//!
//! All errors of an item are reported together; see `ctxt`. The output refers to `pathway_io::__private0`.
//!
//! This file is long because it holds the documentation of each macro.

mod case;
mod column;
mod connector;
mod ctxt;
mod duration;
mod editor;
mod files;
mod generics;
#[cfg(test)]
mod hygiene;
mod item;
mod lifetimes;
mod next;
mod option;
mod option_modules;
mod schema;
#[cfg(test)]
mod snapshots;
mod suggest;
#[cfg(test)]
mod token_fuzz;
mod types;

use proc_macro::TokenStream;

/// Makes a struct the schema of a table: its fields are the columns.
///
/// A row struct needs no other derive. This one implements `Schema` and, if a column is marked `primary_key`, `Keyed`.
/// [`ColumnType`](../pathway_io/trait.ColumnType.html) lists the types that a column can have.
///
/// # Example
///
/// ```
/// use pathway_io::{Keyed, Schema};
///
/// /// Cats, as zoologists list them.
/// #[derive(Schema)]
/// #[schema(rename_all = "camelCase")]
/// struct Cat {
///     /// The number in the catalogue.
///     #[schema(primary_key)]
///     key: i64,
///     #[schema(default = "felis")]
///     genus_name: String,
///     #[schema(alias = "kg")]
///     weight: Option<f64>,
/// }
///
/// let schema = Cat::schema();
/// assert_eq!(schema.description, "Cats, as zoologists list them.");
/// assert_eq!(schema.columns[1].name, "genusName");
/// assert_eq!(schema.columns[1].default_value(), Some("felis".into()));
///
/// let cat = Cat { key: 7, genus_name: "lynx".into(), weight: Some(21.5) };
/// assert_eq!(cat.key(), 7);
/// ```
///
/// # Options of the struct
///
/// | `#[schema(..)]` | meaning |
/// |---|---|
/// | `rename_all = "camelCase"` | Renames all columns. The spellings are serde's. |
/// | `append_only` | Rows are never removed. |
/// | `deny_unknown` | A JSON row with an unknown field causes an error. `time` and `diff`, which every output adds, are allowed. |
/// | `default`, `default = expr` | A column that a row lacks gets its value from the struct's `Default`, or from `expr`. This does not apply to columns of the key and of flattened schemas. |
/// | `dataflow` | Implements the traits that computations need (feature `dataflow`): `Clone`, `Debug`, comparisons, `Hash` and serde's. |
/// | `sample = "cats.jsonl"` | Checks the columns against real data: see below. |
/// | `lock = "cat.schema.json"` | Checks the columns against those that were last accepted: see below. |
/// | `crate = path` | Names the path of `pathway_io`, if the crate was renamed or re-exported. |
///
/// # Options of a column
///
/// | `#[schema(..)]` | meaning |
/// |---|---|
/// | `primary_key` | The column belongs to the primary key. One or several columns can have it. |
/// | `default`, `default = expr` | Supplies the value for a row that lacks the column. A literal converts to `String` and to `Option`. To call a function, write the call itself, not the function's name in a string as for serde. |
/// | `rename = ".."` | Sets the column's name in JSON and in every output. |
/// | `alias = ".."` | Adds a name that is accepted when JSON is read. You can repeat the option. |
/// | `flatten` | Inserts the columns of another schema. With `primary_key`, its key becomes one element of the key. |
/// | `flatten, prefix = "home_"` | Does the same, with a prefix before each name, so that one schema can be flattened several times. |
/// | `skip` | Leaves the field out of the columns. It is `Default::default()` in a row that is read or that the dataflow engine copies. |
/// | `json` | Stores a value of any serde type as one JSON column. In an `Option`, null is `None`. |
/// | `path = "seller.name"` | Reads the column inside another field of the JSON: see below. |
/// | `with = "module"` | Stores a field of a foreign type as `module::Column`, by the functions `to_column` and `from_column` of the module: see below. |
/// | `try_from = "T", into = "T"` | Does the same with the standard traits: `Into<T>` writes the field, and `TryFrom<T>` reads it. The field's type must be `Clone`. |
/// | `example = expr` | Adds an example to the schema's description. |
///
/// Doc comments become descriptions.
///
/// ```
/// use pathway_io::Schema;
///
/// #[derive(Schema)]
/// struct Place {
///     city: String,
/// }
///
/// #[derive(Schema, Default)]
/// #[schema(default)]
/// struct Owner {
///     name: String,
///     #[schema(skip)]
///     visits: u32,
/// }
///
/// #[derive(Schema)]
/// struct Trip {
///     #[schema(flatten, prefix = "from_")]
///     from: Place,
///     #[schema(flatten, prefix = "to_")]
///     to: Place,
///     #[schema(flatten)]
///     owner: Owner,
/// }
///
/// let names: Vec<_> = Trip::schema().columns.iter().map(|column| column.name).collect();
/// assert_eq!(names, ["from_city", "to_city", "name"]);
/// ```
///
/// # Nested JSON
///
/// `path` says where in a row's JSON a column is: names of fields, and numbers of items in lists, as in
/// `images[0].url`. It can be combined with every option but `flatten` and `skip`. If a step is missing or null, the
/// column is missing: it has its default, is `None`, or causes an error that names the path. A step of another type
/// causes an error.
///
/// In every output and in the exported schemas, the column has its own name. Rows with the value under that name or
/// under an alias are read as well, so that `next_json` can read the output of a sink. The exception is a column with
/// the name of the field in which its path begins. Two columns cannot read one value, and a field in which a path
/// begins cannot be a column. Unknown fields next to a step are ignored, even under `deny_unknown`.
///
/// ```
/// # use pathway_io::{RunResult, Schema, Subject, connector};
/// #[derive(Schema)]
/// struct Offer {
///     id: u64,
///     #[schema(path = "seller.name")]
///     seller: String,
///     #[schema(path = "images[0].url")]
///     image: Option<String>,
/// }
///
/// # struct Offers;
/// #
/// # #[connector]
/// # impl Offers {
/// #     fn run(&mut self, offers: Subject<Offer>) -> RunResult {
/// offers.next_json(r#"{"id": 1, "seller": {"name": "ann"}, "images": [{"url": "/1.png"}]}"#)?;
/// let error = offers.next_json(r#"{"id": 2, "seller": {}}"#).unwrap_err();
/// assert_eq!(error.reason(), "missing at `seller.name`");
/// #         Ok(())
/// #     }
/// # }
/// #
/// # fn main() -> pathway_io::Result<()> {
/// # let updates = pathway_io::testing::collect(Offers)?;
/// # assert_eq!(updates[0].row.image.as_deref(), Some("/1.png"));
/// # Ok(())
/// # }
/// ```
///
/// # Foreign types
///
/// A field can have a type that cannot be a column. `with` names a module that converts it: `Column` is the column's
/// type, `to_column` takes the field by reference, and `from_column` returns the field's type or a `Result`. The
/// functions differ from those of serde's `with`. If a conversion fails, the row is a bad row, and the error names the
/// column. If the field is an `Option`, the value inside is converted, and `None` is null. The field can be part of the
/// primary key if its type is `Clone` and the column's type can be a key. In JSON, in every output and in the schema,
/// the column has its own type, not the field's.
///
/// ```
/// use pathway_io::{RunResult, Schema, Subject, connector};
///
/// mod ports {
///     use std::ops::RangeInclusive;
///
///     pub type Column = String;
///
///     pub fn to_column(ports: &RangeInclusive<u16>) -> String {
///         format!("{}-{}", ports.start(), ports.end())
///     }
///
///     pub fn from_column(text: String) -> Result<RangeInclusive<u16>, Box<dyn std::error::Error>> {
///         let (first, last) = text.split_once('-').ok_or("no `-`")?;
///         Ok(first.parse()?..=last.parse()?)
///     }
/// }
///
/// #[derive(Schema)]
/// struct Rule {
///     #[schema(with = "ports")]
///     ports: std::ops::RangeInclusive<u16>,
///     #[schema(try_from = "u32", into = "u32")]
///     letter: Option<char>,
/// }
///
/// struct Rules;
///
/// #[connector]
/// impl Rules {
///     fn run(&mut self, rules: Subject<Rule>) -> RunResult {
///         rules.next_json(r#"{"ports": "80-90", "letter": 97}"#)?;
///         let error = rules.next_json(r#"{"ports": "80"}"#).unwrap_err();
///         assert_eq!(error.column(), Some("ports"));
///         Ok(())
///     }
/// }
///
/// # fn main() -> pathway_io::Result<()> {
/// let updates = pathway_io::testing::collect(Rules)?;
/// assert_eq!(updates[0].row.ports, 80..=90);
/// assert_eq!(updates[0].row.letter, Some('a'));
/// # Ok(())
/// # }
/// ```
///
/// # A sample
///
/// `sample` names a file of JSON Lines, or of CSV with a header (`.csv`), next to the source file or else in the
/// package's directory. The compiler reads its first 1,000 lines, up to 4 MiB. It refuses the struct if a line does not
/// fit because it has a value of another type, or a null or missing field without an `Option` or a default. Fields
/// without a column are ignored, unless `deny_unknown` refuses them. In CSV, an empty field is a null, and `""` is an
/// empty string. In JSON, a `path` is followed.
///
/// A string for a date, a time, a UUID or a decimal must have the form of one. The compiler does not check the variants
/// of an enum, IP addresses, a zero for a `NonZero`, and the conversions of `with` and `try_from`.
///
/// A file of up to 256 MiB is tracked: the crate is rebuilt when the file changes. The compiler needs about three bytes
/// of memory for each byte of the file. For a larger file, print `cargo::rerun-if-changed=cats.jsonl` in a `build.rs`.
///
/// # A lock
///
/// `lock` names a file that records the columns as they were last accepted. The macro looks for the file in the same
/// places. Keep it under version control. Only `PATHWAY_LOCK=update cargo build` writes it. A new lock is written next
/// to the source file. A file that is not a lock is an error, and is never overwritten.
///
/// | change | |
/// |---|---|
/// | a new column with a default or of an `Option`; a new default | compatible: no message |
/// | an integer type that holds all values of the old one, `f64` for `f32`, `Option<T>` for `T`, a `Vec` for an array | compatible |
/// | a description, an example, the value of a default, the order of the columns, `append_only` | compatible |
/// | a column removed or renamed; another type; `T` for `Option<T>`; a default or an alias removed; another `path` or `prefix` | an error at the column |
/// | a new column that every row must have | an error at the column |
/// | another primary key, or the same in another order; `deny_unknown` added; the struct renamed | an error |
///
/// A flattened schema must have its own lock, which covers its columns. If the macro does not know a type by its name,
/// as for an alias, it cannot write the type to the lock. The compile error then says what to write there. The lock
/// does not distinguish types with the same text form: an enum, an IP address or a newtype of a `String` is a `String`,
/// and `NonZero<i64>` is an `i64`. A change between such types is not noticed.
///
/// The file is JSON, with one column on each line:
///
/// ```json
/// {
///   "lock": 1,
///   "name": "Cat",
///   "append_only": false,
///   "deny_unknown": false,
///   "columns": [
///     { "name": "key", "type": "i64", "primary_key": true },
///     { "name": "weight", "type": "f64", "optional": true, "has_default": true, "aliases": ["kg"], "description": "In kg." },
///     { "flatten": "Place", "field": "place", "prefix": "place_" }
///   ]
/// }
/// ```
#[proc_macro_derive(Schema, attributes(schema))]
pub fn derive_schema(input: TokenStream) -> TokenStream {
    item::derive(input.into(), schema::derive).into()
}

/// Makes an enum without fields, or a struct with one unnamed field (a newtype), a column type.
///
/// An enum is stored as the name of its variant; any other string causes an error that lists the valid ones. A newtype
/// is stored as its inner value. Both can be part of a primary key if they are `Clone`; the inner type of a newtype
/// must be a key type, too. An enum has at most 65,535 variants.
///
/// To store an enum whose variants have fields, use `#[schema(json)]` and serde's derives instead of this one. The enum
/// is written as serde writes it, by default as `{"Deleted": {"by": "ann"}}`; serde's attributes such as
/// `#[serde(tag = "kind")]` change that. A `json` column can be an `Option`, a `Vec` or a map of such a type, too:
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// enum Event {
///     Created(String),
///     Deleted { by: String },
/// }
///
/// #[derive(pathway_io::Schema)]
/// struct Entry {
///     id: u64,
///     #[schema(json)]
///     event: Event,
///     #[schema(json)]
///     history: Vec<Event>,
/// }
/// ```
///
/// # Options
///
/// | `#[column(..)]` | on | meaning |
/// |---|---|---|
/// | `rename_all = "snake_case"` | the enum | Renames all variants. The spellings are serde's. |
/// | `rename = ".."` | a variant | Sets the string for the variant. |
/// | `alias = ".."` | a variant | Adds a string that is read as this variant. You can repeat the option. |
/// | `other` | one variant | This variant is read from every string that belongs to no other variant. It is written as its own string. |
/// | `crate = path` | the type | Names the path of `pathway_io`, if the crate was renamed or re-exported. |
///
/// ```
/// use pathway_io::{ColumnType, DataType, Schema};
///
/// #[derive(ColumnType, Clone)]
/// struct CatId(u64);
///
/// #[derive(ColumnType)]
/// #[column(rename_all = "lowercase")]
/// enum Mood {
///     Calm,
///     #[column(rename = "hiss!")]
///     Angry,
/// }
///
/// #[derive(Schema)]
/// struct Cat {
///     #[schema(primary_key)]
///     id: CatId,
///     #[schema(default = Mood::Calm)]
///     mood: Mood,
/// }
///
/// assert_eq!(Cat::schema().columns[0].data_type, DataType::U64);
/// assert_eq!(Cat::schema().columns[1].default_value(), Some("calm".into()));
/// ```
#[proc_macro_derive(ColumnType, attributes(column, schema))]
pub fn derive_column(input: TokenStream) -> TokenStream {
    item::derive(input.into(), column::derive).into()
}

/// Makes a type a source of rows. Put it on an inherent `impl` block that has a `run` method.
///
/// The macro reads the tables from the signature of `run`: each `Subject<S>` parameter feeds one, up to eight. `run`
/// returns `()` or `Result<(), E>` for any error that converts into `Box<dyn Error + Send + Sync>`. An
/// `on_stop(&mut self)` in the same block is called once, after the last `run`, however it ended. To end a `run` that
/// blocks, use `Subject::on_interrupt`. The macro implements `pathway_io::Connector`.
///
/// If the last parameter of `run` is a `Partition`, the source is partitioned. The type must be `Clone`: each worker
/// runs a clone, which reads the partition with the worker's number.
///
/// An `async fn run` (feature `tokio`) takes an `AsyncSubject<S>` for each table. It runs on a runtime on the
/// connector's own thread, so its future need not be `Send`. A stop drops the future at its `.await`. With an
/// `async fn run`, `on_stop` may be async, too.
///
/// # Example
///
/// ```
/// use pathway_io::{RunResult, Schema, Subject, connector};
///
/// #[derive(Schema)]
/// struct Count {
///     n: u32,
/// }
///
/// struct UpTo(u32);
///
/// #[connector(name = "counts", autocommit = "100ms")]
/// impl UpTo {
///     fn run(&mut self, counts: Subject<Count>) -> RunResult {
///         for n in 0..self.0 {
///             counts.next(Count { n })?;
///         }
///         Ok(())
///     }
/// }
///
/// # fn main() -> pathway_io::Result<()> {
/// let updates = pathway_io::testing::collect(UpTo(3))?;
/// assert_eq!(updates.len(), 3);
/// # Ok(())
/// # }
/// ```
///
/// # Options
///
/// `Pipeline::read_with` can override each option except `stop` and `crate`. A value is a literal, a constant or
/// another expression.
///
/// | `#[connector(..)]` | meaning |
/// |---|---|
/// | `name = ".."` | the name in errors and in the summary; the default is the name of the type, and a second source with it gets `-2` |
/// | `autocommit = "100ms"`, `autocommit = off` | the longest time that a row waits for its commit (`ns`, `us`, `ms`, `s`, `m`, `h`); 1.5 s by default |
/// | `eager` | a row that arrives when the last commit is older than the autocommit interval is committed immediately |
/// | `backlog = 10_000` | the number of rows that may wait before a push blocks; 65,536 by default, at least 1 |
/// | `stop = "5s"` | how long an `async fn run` can continue after a stop; by default, its future is dropped immediately |
/// | `crate = path` | the path of `pathway_io`, if the crate was renamed or re-exported |
#[proc_macro_attribute]
pub fn connector(options: TokenStream, item: TokenStream) -> TokenStream {
    connector::expand(options.into(), item.into()).into()
}

/// Returns the expansion of `next!` that an editor sees.
#[doc(hidden)]
#[proc_macro]
pub fn sketch(tokens: TokenStream) -> TokenStream {
    next::sketch::expand(tokens.into()).into()
}

/// Returns the modules whose items an editor completes as the names of options.
#[doc(hidden)]
#[proc_macro]
pub fn options(_: TokenStream) -> TokenStream {
    option_modules::modules().into()
}

/// Expands `pathway_io::next!`, which passes the path of its crate in parentheses and then its tokens.
#[doc(hidden)]
#[proc_macro]
pub fn next(tokens: TokenStream) -> TokenStream {
    next::expand(tokens.into()).into()
}
