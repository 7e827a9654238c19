//! `sample = "cats.jsonl"`: checks the schema against real data, at compile time.
//!
//! The file's first rows are read (`files::rows`), and each field is checked by the type of its column as it is written
//! (`type_check`). If only the compiler knows the type (an alias, a newtype, the columns of a `flatten`), the field is
//! checked against every possible type (`summary`). A function of the runtime, which the compiler evaluates, selects
//! the result for the real type.

mod state;
mod summary;
#[cfg(test)]
mod tests;
mod text_form;
mod type_check;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::LitStr;

use super::ast::{Column, Schema};
use super::check::RESERVED;
use super::path::{Path, Step};
use super::source_path;
use super::spelling::Trust;
use crate::ctxt::Ctxt;
use crate::files::data_type::DataType;
use crate::files::json::Value;
use crate::files::rows::{self, Cell, Named, Rows, SampleRow};
use crate::types::{self, text};
use crate::{option, suggest};
use state::{Key, State};
use summary::{LocatedFault, Summary, all_types};
use type_check::{Misfit, VALUE, kind};

/// The limit for the items of a list and for the steps into a value that are checked for the paths of flattened
/// schemas.
const FLAT_LIMIT: usize = 8;
/// The maximum number of nested values that are kept for these paths. An object can be a map with a different name in
/// each row.
const MAX_NESTED: usize = 256;

/// Checks the schema against its sample, if it has one. The returned items make cargo track the file, and contain the
/// checks for the compiler.
pub fn check(ctxt: &Ctxt, schema: &Schema) -> TokenStream {
    let Some(literal) = schema.options.sample.get() else { return TokenStream::new() };
    let candidates = source_path::candidates(literal);
    let place = source_path::find(&candidates).unwrap_or(&candidates[0]);
    let (file_len, Rows { rows, fault }) = match rows::read(place) {
        Ok(read) => read,
        Err(error) => {
            let reason = source_path::reason(&error);
            let places = source_path::list(if place.exists() { std::slice::from_ref(place) } else { &candidates });
            let message = format!("cannot read the sample `{}`: {reason}\nnote: looked for {places}", literal.value());
            ctxt.error(literal, message);
            return TokenStream::new();
        }
    };
    let file = SampleFile { name: literal.value(), path: place.display().to_string() };
    let mut sample = SampleCheck::new(ctxt, schema, literal, &file);
    rows.iter().for_each(|row| sample.check_row(row));
    let checks = match fault {
        Some(rows::SampleFileFault { line, column, reason }) => {
            ctxt.error(literal, file.error(line, column, &reason));
            TokenStream::new()
        }
        None if rows.is_empty() => {
            ctxt.error(literal, format!("the sample `{}` has no row", file.name));
            TokenStream::new()
        }
        None => sample.finish(),
    };
    let track = source_path::track(place, file_len);
    quote!(#track #checks)
}

/// The name of a sample and its path as it was resolved, for messages.
struct SampleFile {
    name: String,
    path: String,
}

impl SampleFile {
    /// Returns the text of an error in the file.
    fn error(&self, line: usize, column: usize, what: &str) -> String {
        let SampleFile { name, path } = self;
        format!("`{name}` line {line}: {what}\nnote: at {path}:{line}:{column}")
    }

    /// Returns the fault of a row that lacks a field.
    fn missing(&self, line: usize, field: &str) -> LocatedFault {
        let what = format!("`{field}` is missing, the column wants `\0`\nhelp: {ADD_DEFAULT}");
        (line, self.error(line, 1, &what))
    }
}

/// A schema and the rows of its sample.
struct SampleCheck<'a> {
    ctxt: &'a Ctxt,
    schema: &'a Schema<'a>,
    literal: &'a LitStr,
    file: &'a SampleFile,
    /// The line of the first row.
    first_line: Option<usize>,
    states: Vec<State<'a>>,
    /// How many items of a list, and how many levels of a value, are read.
    max_items: usize,
    max_steps: usize,
    has_flat: bool,
    /// The fields and nested values that no column of the struct itself reads. A flattened schema may read them.
    others: BTreeMap<Key, Summary>,
    /// Whether all nested values are among these.
    is_deep: bool,
    types: Rc<[DataType]>,
    /// The fields that no column of the struct itself reads, with the error if no other does.
    unread: Vec<(String, String)>,
    /// The names of these fields.
    unread_names: HashSet<String>,
}

impl<'a> SampleCheck<'a> {
    fn new(ctxt: &'a Ctxt, schema: &'a Schema<'a>, literal: &'a LitStr, file: &'a SampleFile) -> Self {
        let (types, value_types) = (all_types(&DataType::Unknown), all_types(&DataType::Plain(VALUE)));
        let states = schema.columns.iter().map(|column| {
            let data_type = if column.is_flat() { DataType::Unknown } else { column.data_type(Trust::Certain) };
            let types = if types::has_ident(column.ty, "Value") { &value_types } else { &types };
            State { column, summary: Summary::new(data_type, types), is_reported: false }
        });
        let states: Vec<State> = states.collect();
        let has_flat = schema.columns.iter().any(Column::is_flat);
        let paths = || states.iter().filter_map(State::path).map(|path| &path.steps);
        let reach = if has_flat { FLAT_LIMIT } else { 0 };
        let index = |step: &Step| if let Step::Item(index) = step { index + 1 } else { 0 };
        SampleCheck {
            ctxt,
            schema,
            literal,
            file,
            first_line: None,
            max_items: paths().flatten().map(index).fold(reach, usize::max),
            max_steps: paths().map(Vec::len).fold(reach, usize::max),
            states,
            has_flat,
            others: BTreeMap::new(),
            is_deep: true,
            types,
            unread: Vec::new(),
            unread_names: HashSet::new(),
        }
    }

    /// Adds the values inside a value, under their paths.
    fn collect_nested(&mut self, path: &str, value: &Value, column: usize, depth: usize, fields: &mut Vec<Named>) {
        let inner: Vec<(Step, &Value)> = match value {
            Value::Object(_) | Value::List(_) if depth >= self.max_steps => {
                self.is_deep = false;
                return;
            }
            // A path cannot contain a name that has a special character of paths.
            Value::Object(inner) => {
                let inner = inner.iter().filter(|field| !field.name.contains(['.', '[', ']']));
                inner.map(|field| (Step::Field(field.name.clone()), &field.value)).collect()
            }
            Value::List(items) => (0..self.max_items).map(Step::Item).zip(items).collect(),
            _ => return,
        };
        for (step, value) in inner {
            let name = format!("{path}{step}");
            self.collect_nested(&name, value, column, depth + 1, fields);
            fields.push(Named { name, cell: Cell::Json(value.clone()), column });
        }
    }

    /// Reports the first value in a row through which the path of a column does not lead: a step of another type. The
    /// column does not count as missing, because `next_json` refuses the row.
    fn check_paths(&mut self, row: &SampleRow) {
        let paths: Vec<&Path> = self.states.iter().filter_map(State::path).collect();
        for state in self.states.iter_mut().filter(|state| state.summary.fault.is_none()) {
            let Some(path) = state.path() else { continue };
            let Some(field) = row.fields.iter().find(|field| field.name == path.root()) else { continue };
            let Cell::Json(value) = &field.cell else { continue };
            let mut value = Some(value);
            for (depth, step) in path.steps.iter().enumerate().skip(1) {
                let Some(here) = value.filter(|value| **value != Value::Null) else { break };
                // Another path may lead on through a value of the other kind.
                let leads_on = |other: &&Path| {
                    let next = other.steps.get(depth).filter(|_| other.steps[..depth] == path.steps[..depth]);
                    let kinds = (next, here);
                    matches!(kinds, (Some(Step::Field(_)), Value::Object(_)) | (Some(Step::Item(_)), Value::List(_)))
                };
                if !paths.iter().any(leads_on) {
                    let place: String = path.steps[..depth].iter().map(Step::to_string).collect();
                    let (place, found, path) = (place.trim_start_matches('.'), kind(here), path.literal.value());
                    let wanted = if matches!(step, Step::Field(_)) { "an object" } else { "a list" };
                    let what = format!("`{place}` is {found}, the path `{path}` needs {wanted}");
                    state.summary.fault = Some((row.line, self.file.error(row.line, field.column, &what)));
                    break;
                }
                value = match (step, here) {
                    (Step::Field(name), Value::Object(fields)) => {
                        fields.iter().find(|field| field.name == *name).map(|field| &field.value)
                    }
                    (Step::Item(index), Value::List(items)) => items.get(*index),
                    _ => None,
                };
            }
        }
    }

    fn check_row(&mut self, row: &SampleRow) {
        self.check_paths(row);
        let mut inside = Vec::new();
        for field in &row.fields {
            match &field.cell {
                Cell::Json(value) => self.collect_nested(&field.name, value, field.column, 1, &mut inside),
                Cell::Text(_) => self.is_deep = false,
            }
        }
        let (file, line) = (self.file, row.line);
        let mut found = vec![false; self.states.len()];
        let mut others = BTreeSet::new();
        let fields = row.fields.iter().map(|field| (field, false)).chain(inside.iter().map(|field| (field, true)));
        for (field, is_inside) in fields {
            let shown = &field.name;
            let error = |Misfit { found, help }| {
                let help = help.map_or(String::new(), |help| format!("\nhelp: {help}"));
                let what = format!("`{shown}` {found}, the column wants `\0`{help}");
                (line, file.error(line, field.column, &what))
            };
            match self.states.iter().position(|state| state.reads(field, is_inside)) {
                // An output has these fields, too. The column has been read by its name.
                Some(index) if found[index] && !is_inside && RESERVED.contains(&shown.as_str()) => {}
                Some(index) if std::mem::replace(&mut found[index], true) => {
                    let state = &mut self.states[index];
                    if !std::mem::replace(&mut state.is_reported, true) {
                        let what = format!("`{shown}` is given twice");
                        self.ctxt.error(state.column.ident, file.error(line, field.column, &what));
                    }
                }
                Some(index) => self.states[index].summary.add(&field.cell, error),
                None => {
                    if !is_inside {
                        self.record_unread(field, line);
                    }
                    let key = Key { name: shown.clone(), is_inside };
                    if let Some(summary) = self.summary_of_other(&key, line) {
                        summary.add(&field.cell, error);
                        others.insert(key);
                    }
                }
            }
        }
        self.first_line.get_or_insert(line);
        for (state, _) in self.states.iter_mut().zip(found).filter(|(_, found)| !found) {
            let shown = state.name();
            state.summary.absent.get_or_insert_with(|| file.missing(line, &shown));
        }
        for (key, summary) in self.others.iter_mut().filter(|(key, _)| !others.contains(*key)) {
            summary.absent.get_or_insert_with(|| file.missing(line, &key.name));
        }
    }

    /// Returns the summary of a field that a flattened schema may read.
    fn summary_of_other(&mut self, key: &Key, line: usize) -> Option<&mut Summary> {
        if !self.has_flat {
            return None;
        }
        if !self.others.contains_key(key) {
            if key.is_inside && self.others.keys().filter(|key| key.is_inside).count() >= MAX_NESTED {
                self.is_deep = false;
                return None;
            }
            let mut summary = Summary::new(DataType::Unknown, &self.types);
            // The earlier lines did not have the field.
            let before = self.first_line.filter(|start| *start < line);
            summary.absent = before.map(|start| self.file.missing(start, &key.name));
            self.others.insert(key.clone(), summary);
        }
        self.others.get_mut(key)
    }

    /// Records a field that no column of the struct itself reads.
    fn record_unread(&mut self, field: &Named, line: usize) {
        if self.states.iter().any(|state| state.begins_in(field)) || !self.unread_names.insert(field.name.clone()) {
            return;
        }
        let names: Vec<&str> = self.states.iter().map(|state| state.column.name.as_str()).collect();
        let near = suggest::nearest(&field.name, &names).filter(|_| !self.has_flat);
        let help = near.map_or(String::new(), |near| format!("\nhelp: did you mean `{near}`?"));
        let (ident, name) = (self.schema.ident, &field.name);
        let what = format!("`{ident}` has no column `{name}`, and denies unknown ones{help}");
        self.unread.push((name.clone(), self.file.error(line, field.column, &what)));
    }

    /// Reports the errors, and generates the checks that the compiler makes.
    fn finish(mut self) -> TokenStream {
        if let [(field, _)] = &self.unread[..]
            && field.contains([';', '\t', '|'])
            && self.states.iter().any(|state| !state.may_be_missing())
            && !self.states.iter().any(|state| state.summary.is_found || state.column.is_flat())
        {
            let what = format!("`{}` has one field, {field:?}", self.file.name);
            self.ctxt.error(self.literal, format!("{what}\nhelp: the fields of a CSV are separated by commas"));
            return TokenStream::new();
        }
        let denies = self.schema.options.deny_unknown.is_set();
        for (name, what) in self.unread.iter().filter(|_| denies && !self.has_flat) {
            if !RESERVED.contains(&name.as_str()) {
                self.ctxt.error(self.literal, what);
            }
        }
        let import = option::runtime(self.schema.options.krate.get());
        let row = self.schema.ident;
        let description = quote!(<#row as __pathway_io::Schema>::SCHEMA);
        let unread: Vec<&str> = self.unread.iter().map(|(name, _)| name.as_str()).collect();
        let nowhere = |name: &str, help: &str| {
            format!("no line of `{}` has `{name}`, which has no default\nhelp: {help}", self.file.name)
        };
        let mut checks = TokenStream::new();
        for state in self.states.iter_mut().filter(|state| !state.is_reported) {
            let i = state.column.index;
            let span = option::mixed_site_at(state.column.ident.span());
            if state.column.is_flat() {
                let (is_deep, nowhere) = (self.is_deep, nowhere("\u{1}", ADD_DEFAULT));
                checks.extend(quote_spanned! {span=>
                    const _: () = __pathway_io::assert_flat_sample(#description, #i, SAMPLE, #is_deep, #nowhere);
                });
                continue;
            }
            if !state.summary.is_found {
                let help = match suggest::nearest(&state.column.name, &unread) {
                    Some(near) => format!("it has `{near}`: write `#[schema(rename = {near:?})]`"),
                    None => ADD_DEFAULT.to_owned(),
                };
                state.summary.absent = Some((0, nowhere(&state.name(), &help)));
            }
            let summary = &state.summary;
            let is_open = summary.data_type == DataType::Unknown;
            let absent = summary.absent.as_ref().filter(|_| !is_open && !state.may_be_missing());
            if let Some((_, error)) = summary.fault.as_ref().or(absent) {
                self.ctxt.error(state.column.ident, error.replace('\0', &text(state.column.ty)));
            } else if summary.data_type.has_unknown() {
                let field = summary.expand("", false);
                checks.extend(quote_spanned! {span=>
                    const _: () = __pathway_io::assert_sample(#description, #i, &#field);
                });
            }
        }
        if self.has_flat {
            let fields = self.others.iter().map(|(key, summary)| summary.expand(&key.name, key.is_inside));
            checks.extend(quote!(const SAMPLE: &[__pathway_io::SampleField] = &[#(#fields),*];));
        }
        if self.has_flat && denies {
            let span = option::mixed_site_at(self.literal.span());
            let unread = self.unread.iter().map(|(name, what)| quote!((#name, #what)));
            checks.extend(quote_spanned! {span=>
                const _: () = __pathway_io::assert_sample_known(#description, &[#(#unread),*]);
            });
        }
        if checks.is_empty() { checks } else { quote!(const _: () = { #import #checks };) }
    }
}

const ADD_DEFAULT: &str = "add `#[schema(default)]`, or make it an `Option<\0>`";
