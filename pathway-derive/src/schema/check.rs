//! The rules for a schema as a whole.

use syn::{GenericParam, LitStr};

use super::ast::{Column, Schema};
use super::attr::ColumnOptions;
use super::path::Path;
use crate::ctxt::Ctxt;
use crate::types::text;

/// Columns that every output has after those of the schema.
pub const RESERVED: [&str; 2] = ["time", "diff"];

pub fn check(ctxt: &Ctxt, schema: &mut Schema) {
    check_generics(ctxt, schema);
    check_files(ctxt, schema);
    schema.names_differ = !schema.repeats_field && check_names(ctxt, schema) && check_paths(ctxt, schema);
    for column in &schema.columns {
        check_combinations(ctxt, column);
    }
}

fn check_generics(ctxt: &Ctxt, schema: &Schema) {
    for parameter in &schema.generics.params {
        match parameter {
            GenericParam::Lifetime(parameter) => {
                ctxt.error(&parameter.lifetime, "a schema cannot borrow\nhelp: use `String` in place of `&str`");
            }
            GenericParam::Type(parameter) if schema.is_unbound(parameter) => {
                let name = &parameter.ident;
                let help = format!(
                    "write `{name}: pathway_io::ColumnType`, or `{name}: pathway_io::Schema` for a flattened row"
                );
                ctxt.error(name, format!("the parameter `{name}` of a schema needs a bound\nhelp: {help}"));
            }
            GenericParam::Type(_) | GenericParam::Const(_) => {}
        }
    }
}

/// Reports options that a generic schema cannot have, because its columns are known only with its parameters.
fn check_files(ctxt: &Ctxt, schema: &Schema) {
    let (sample, lock) = (schema.options.sample.key(), schema.options.lock.key());
    let prefixes = schema.columns.iter().filter_map(|column| column.options.prefix.key());
    for key in sample.into_iter().chain(lock).chain(prefixes).filter(|_| schema.is_generic()) {
        ctxt.error(key, format!("a generic schema cannot have a `{key}`\nnote: its columns depend on its parameters"));
    }
}

/// Checks the names and aliases. Returns whether all are different.
fn check_names(ctxt: &Ctxt, schema: &Schema) -> bool {
    let columns = schema.columns.iter().filter(|column| !column.is_flat());
    for column in columns.clone() {
        let name = &column.name;
        if name.is_empty() {
            ctxt.error_at(column.name_span(), "a column name cannot be empty");
        } else if RESERVED.contains(&name.as_str()) {
            let help = "`#[schema(rename = \"..\")]`";
            ctxt.error_at(column.name_span(), format!("`{name}` is reserved for the update stream\nhelp: {help}"));
        }
        for alias in column.options.aliases.iter().filter(|alias| alias.value().is_empty()) {
            ctxt.error(alias, "an alias cannot be empty");
        }
    }
    // Names come before aliases, so that the error about a clash is at the alias.
    let names = columns.clone().map(|column| ("column", column.name.clone(), column.name_span()));
    let aliases = columns.flat_map(|column| &column.options.aliases);
    let aliases = aliases.map(|alias| ("name", alias.value(), alias.span()));
    ctxt.all_differ(names.chain(aliases).filter(|(_, name, _)| !name.is_empty()))
}

/// Returns whether no two columns of the struct read one value.
fn check_paths(ctxt: &Ctxt, schema: &Schema) -> bool {
    let mut differ = true;
    let columns = || schema.columns.iter().filter(|column| !column.is_flat());
    let mut seen: Vec<&Path> = Vec::new();
    for column in columns() {
        let Some(path) = column.options.path.get() else { continue };
        let (text, root) = (path.literal.value(), path.root());
        // A column is not read under its own name if its path begins in a field with this name.
        let begins_there = |other: &Column| other.options.path.get().is_some_and(|path| path.root() == root);
        let is_other = |other: &&Column| other.name == root && !begins_there(other);
        let alias = columns().flat_map(|other| &other.options.aliases).find(|alias| alias.value() == root);
        if let Some(place) = columns().find(is_other).map(Column::name_span).or(alias.map(LitStr::span)) {
            let what = format!("the path `{text}` begins in the field `{root}`, which is a column itself");
            ctxt.error(&path.literal, what);
            ctxt.error_at(place, format!("`{root}` is read here"));
            differ = false;
        } else if let Some(other) = seen.iter().find(|other| other.overlaps(path)) {
            ctxt.error(&path.literal, format!("the path `{text}` reads a value that another column reads"));
            ctxt.error(&other.literal, "read here");
            differ = false;
        }
        seen.push(path);
    }
    differ
}

fn check_combinations(ctxt: &Ctxt, column: &Column) {
    let options = &column.options;
    if let (false, Some(prefix)) = (column.is_flat(), options.prefix.key()) {
        let help = "add `flatten` if the field is a schema; `rename` changes the name of one column";
        ctxt.error(prefix, format!("`prefix` is for the columns of `flatten`\nhelp: {help}"));
    }
    if let (true, Some(default)) = (column.is_key(), options.default.key()) {
        ctxt.error(default, "a primary key cannot have a default\nnote: every row would share one key");
    }
    if let (true, false, Some(json)) = (column.is_key(), column.is_flat(), options.json.key()) {
        ctxt.error(
            json,
            "a `json` column cannot be part of a primary key\nnote: equal values may be written differently",
        );
    }
    if !column.is_flat() {
        check_conversions(ctxt, options);
        return;
    }
    let default = options.default.key().filter(|_| !column.is_key());
    options.refuse_beside(ctxt, "flatten", &[default], "the columns are defined in the other schema");
}

/// Reports two options that both say how the column is stored, and a single option of a pair.
fn check_conversions(ctxt: &Ctxt, options: &ColumnOptions) {
    let (json, with) = (options.json.key(), options.with.key());
    let (try_from, into) = (options.try_from.given(), options.into.given());
    let given = [json, with, try_from.or(into).map(|given| &given.key)];
    let mut given = given.into_iter().flatten();
    if let (Some(first), Some(second)) = (given.next(), given.next()) {
        ctxt.error(second, format!("`{second}` cannot be used with `{first}`: both say how the column is stored"));
        return;
    }
    let is_read = [options.with.is_set(), try_from.is_some(), into.is_some()].into_iter().filter(|set| *set).count();
    match (try_from, into) {
        _ if is_read < options.conversions => {}
        (Some(one), None) | (None, Some(one)) => {
            let (key, other) = (&one.key, if try_from.is_some() { "into" } else { "try_from" });
            let help = format!("add `{other} = \"{}\"`", text(&one.value));
            ctxt.error(key, format!("`{key}` needs `{other}` with the same type\nhelp: {help}"));
        }
        (Some(try_from), Some(into)) if text(&try_from.value) != text(&into.value) => {
            let (from, to) = (text(&try_from.value), text(&into.value));
            let message = format!("the column is read as `{from}` and written as `{to}`");
            ctxt.error(&into.value, format!("{message}\nhelp: `try_from` and `into` must name the same column type"));
        }
        _ => {}
    }
}
