//! The options of `#[schema(..)]`, on the struct and on a column.

use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Type, parse_quote};

use super::path::Path as JsonPath;
use super::spelling::{self, Trust};
use crate::case::{Case, NAMES};
use crate::ctxt::Ctxt;
use crate::files::data_type::DataType;
use crate::option::{self, RawOption, Slot};
use crate::{suggest, types};

pub const STRUCT_OPTIONS: [&str; 8] =
    ["rename_all", "append_only", "deny_unknown", "default", "dataflow", "sample", "lock", "crate"];
pub const COLUMN_OPTIONS: [&str; 13] = [
    "primary_key",
    "default",
    "rename",
    "alias",
    "flatten",
    "prefix",
    "skip",
    "example",
    "json",
    "with",
    "try_from",
    "into",
    "path",
];

#[derive(Default)]
pub struct StructOptions {
    pub rename_all: Slot<Case>,
    pub append_only: Slot<()>,
    pub deny_unknown: Slot<()>,
    /// `None` inside is the struct's own `Default`.
    pub default: Slot<Option<Expr>>,
    pub dataflow: Slot<()>,
    pub sample: Slot<LitStr>,
    pub lock: Slot<LitStr>,
    pub krate: Slot<Path>,
}

#[derive(Default)]
pub struct ColumnOptions {
    pub primary_key: Slot<()>,
    /// `None` inside is `Default::default()`.
    pub default: Slot<Option<Expr>>,
    pub rename: Slot<LitStr>,
    pub aliases: Vec<LitStr>,
    pub flatten: Slot<()>,
    pub prefix: Slot<LitStr>,
    pub skip: Slot<()>,
    pub example: Slot<Expr>,
    pub json: Slot<()>,
    pub with: Slot<Path>,
    pub try_from: Slot<Type>,
    pub into: Slot<Type>,
    pub path: Slot<JsonPath>,
    /// How many of the last three options are written, including those with an invalid value.
    pub conversions: usize,
}

impl StructOptions {
    pub fn from_attributes(ctxt: &Ctxt, attributes: &[Attribute]) -> Self {
        let mut options = StructOptions::default();
        for option in options_of(ctxt, attributes, "struct", &STRUCT_OPTIONS) {
            let key = &option.key;
            match option.name().as_str() {
                "rename_all" => options.rename_all.set(ctxt, key, case(ctxt, &option)),
                "append_only" => options.append_only.set(ctxt, key, option::flag(ctxt, &option, "schema")),
                "deny_unknown" => options.deny_unknown.set(ctxt, key, option::flag(ctxt, &option, "schema")),
                "default" => options.default.set(ctxt, key, Some(default(ctxt, &option, None))),
                "dataflow" => options.dataflow.set(ctxt, key, option::flag(ctxt, &option, "schema")),
                "sample" => options.sample.set(ctxt, key, option::string(ctxt, &option)),
                "lock" => options.lock.set(ctxt, key, option::string(ctxt, &option)),
                "crate" => options.krate.set(ctxt, key, option::path(ctxt, &option)),
                name if COLUMN_OPTIONS.contains(&name) => {
                    ctxt.error(key, format!("`{name}` belongs on a column, not on the struct"));
                }
                _ => option::unknown(ctxt, &option, "struct option", &STRUCT_OPTIONS),
            }
        }
        options
    }
}

impl ColumnOptions {
    pub fn from_attributes(ctxt: &Ctxt, attributes: &[Attribute], ty: &Type) -> Self {
        let mut options = ColumnOptions::default();
        for option in options_of(ctxt, attributes, "column", &COLUMN_OPTIONS) {
            let key = &option.key;
            options.conversions += usize::from(["with", "try_from", "into"].contains(&option.name().as_str()));
            match option.name().as_str() {
                "primary_key" => options.primary_key.set(ctxt, key, option::flag(ctxt, &option, "schema")),
                "default" => options.default.set(ctxt, key, Some(default(ctxt, &option, Some(ty)))),
                "rename" => options.rename.set(ctxt, key, option::string(ctxt, &option)),
                "alias" => options.aliases.extend(option::string(ctxt, &option)),
                "flatten" => options.flatten.set(ctxt, key, option::flag(ctxt, &option, "schema")),
                "prefix" => options.prefix.set(ctxt, key, option::string(ctxt, &option)),
                "skip" => options.skip.set(ctxt, key, option::flag(ctxt, &option, "schema")),
                "example" => options.example.set(ctxt, key, option::expression(ctxt, &option, "..")),
                "json" => options.json.set(ctxt, key, option::flag(ctxt, &option, "schema")),
                "with" => options.with.set(ctxt, key, option::path(ctxt, &option)),
                "try_from" => options.try_from.set(ctxt, key, option::ty(ctxt, &option)),
                "path" => options.path.set(ctxt, key, super::path::read(ctxt, &option)),
                "into" => options.into.set(ctxt, key, option::ty(ctxt, &option)),
                name if STRUCT_OPTIONS.contains(&name) => {
                    ctxt.error(key, format!("`{name}` belongs on the struct, not on a column"));
                }
                name => {
                    option::unknown(ctxt, &option, "column option", &COLUMN_OPTIONS);
                    // With the option that was meant, a missing key or half of a pair causes no second error.
                    match suggest::nearest(name, &COLUMN_OPTIONS) {
                        Some("primary_key") if !options.primary_key.is_set() => {
                            options.primary_key.set(ctxt, key, Some(()));
                        }
                        Some("with" | "try_from" | "into") => options.conversions += 1,
                        _ => {}
                    }
                }
            }
        }
        options
    }

    /// Reports the options that a field without a column cannot have. Returns whether there are any.
    pub fn check_skipped(&self, ctxt: &Ctxt) -> bool {
        let others = [self.primary_key.key(), self.default.key(), self.flatten.key(), self.prefix.key()];
        let note = "the field is not a column; its value is `Default::default()`";
        self.refuse_beside(ctxt, "skip", &others, note)
    }

    /// Reports these options, and all options that describe one column, next to an option that excludes them. Returns
    /// whether there are any.
    pub fn refuse_beside(&self, ctxt: &Ctxt, other: &str, keys: &[Option<&Ident>], note: &str) -> bool {
        let of_column = [
            self.rename.key(),
            self.example.key(),
            self.json.key(),
            self.with.key(),
            self.try_from.key(),
            self.into.key(),
            self.path.key(),
        ];
        let refused: Vec<_> = keys.iter().chain(&of_column).copied().flatten().collect();
        for key in &refused {
            ctxt.error(key, format!("`{key}` cannot be used with `{other}`\nnote: {note}"));
        }
        for alias in &self.aliases {
            ctxt.error(alias, format!("`alias` cannot be used with `{other}`\nnote: {note}"));
        }
        !refused.is_empty() || !self.aliases.is_empty()
    }
}

fn options_of(ctxt: &Ctxt, attributes: &[Attribute], place: &str, known: &[&str]) -> Vec<RawOption> {
    option::parse_attributes(ctxt, attributes, "schema", || {
        format!(
            "expected options, as in `#[schema({})]`\nhelp: the options of a {place} are {}",
            if place == "struct" { "append_only" } else { "primary_key" },
            suggest::list(known, "and")
        )
    })
}

/// Reads the default of a column, or of the struct if `ty` is `None`. A user of serde writes the path of a function in
/// a string. That is an error, unless the column is a string. A string of one word is left to rustc.
fn default(ctxt: &Ctxt, option: &RawOption, ty: Option<&Type>) -> Option<Expr> {
    let value = option.value(ctxt)?;
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = option::peel(&value) else { return Some(value) };
    let is_path = text.parse_with(Path::parse_mod_style).is_ok_and(|path| path.segments.len() > 1);
    let is_text = ty
        .is_some_and(|ty| spelling::of(types::option_of(ty).unwrap_or(ty), Trust::Likely) == DataType::Plain("String"));
    if is_text || !is_path {
        return Some(value);
    }
    let expected = ty.map_or_else(|| "a row".to_owned(), |ty| format!("a value of type `{}`", types::text(ty)));
    let help = format!("write `default = {}()` for the value of a function", text.value());
    ctxt.error(text, format!("expected {expected}, found a string\nhelp: {help}"));
    // A value of every type causes no second error or warning.
    Some(parse_quote!(::core::option::Option::unwrap(::core::option::Option::None)))
}

/// Reads `rename_all`.
pub fn case(ctxt: &Ctxt, option: &RawOption) -> Option<Case> {
    let text = option::string(ctxt, option)?;
    let case = Case::from_name(&text.value());
    if case.is_none() {
        let names = NAMES.map(|(name, _)| name);
        ctxt.error(
            &text,
            format!(
                "unknown spelling `{}` of names\nhelp: expected one of {}",
                text.value(),
                suggest::list(&names, "or")
            ),
        );
    }
    case
}

/// Returns the doc comment: its lines, trimmed.
pub fn description(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        if let Meta::NameValue(meta) = &attribute.meta
            && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = option::peel(&meta.value)
        {
            lines.extend(text.value().lines().map(|line| line.trim().to_owned()));
        }
    }
    while lines.first().is_some_and(String::is_empty) {
        lines.remove(0);
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n")
}
