//! `sample = "cats.jsonl"`: the schema is held to real data, at compile time.
//!
//! The file's first rows are read (`files::rows`), and each field is judged by the type of its column as it is written (`type_check`).
//! Where the type is a name that only the compiler knows (an alias, a type of one's own, the columns of a `flatten`), what
//! was seen is summed up (`summary`) and left to a function of the runtime that the compiler evaluates.

mod summary;
#[cfg(test)]
mod tests;
mod type_check;

use proc_macro2::TokenStream;
use syn::LitStr;

use super::ast::{Column, Schema};
use super::check::RESERVED;
use super::path::{Path, Step};
use super::source_path;
use crate::ctxt::Ctxt;
use crate::files::json::Value;
use crate::files::rows::{Cell, Named, Row, Rows};
use crate::suggest;
use crate::types::{option_of, text};
use summary::Summaries;
pub use type_check::{Shape, length};

/// Holds the schema to its sample, if it has one. What comes back has the sample tracked, and checks what is left.
pub fn check(ctxt: &Ctxt, schema: &Schema) -> TokenStream {
    let Some(literal) = schema.options.sample.get() else { return TokenStream::new() };
    let candidates = source_path::candidates(literal);
    let place = source_path::find(&candidates).unwrap_or(&candidates[0]);
    let rows = match Rows::read(place) {
        Ok(rows) => rows,
        Err(error) => {
            let reason = source_path::reason(&error);
            let places = source_path::list(if place.exists() { std::slice::from_ref(place) } else { &candidates });
            let message = format!("cannot read the sample `{}`: {reason}\nnote: looked for {places}", literal.value());
            ctxt.error(literal, message);
            return TokenStream::new();
        }
    };
    let file_len = rows.file_len;
    let path = place.display().to_string();
    let mut held = Held::new(ctxt, schema, literal, &path);
    let mut any = false;
    for row in rows {
        match row {
            Ok(row) => held.row(&held.unfolded(row)),
            Err(fault) => {
                held.at_sample(fault.line, fault.column, &fault.reason);
                held.is_readable = false;
                break;
            }
        }
        any = true;
    }
    if !any && held.is_readable {
        ctxt.error(literal, format!("the sample `{}` has no row", literal.value()));
        held.is_readable = false;
    }
    let checks = held.finish();
    let track = source_path::track(place, file_len);
    quote::quote!(#track #checks)
}

/// Returns the value at the end of a path; in a null there is none.
fn at<'v>(value: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match (value, step) {
        (Value::Object(fields), Step::Field(name)) => at(&fields.iter().find(|field| field.name == *name)?.value, rest),
        (Value::List(items), Step::Item(index)) => at(items.get(*index)?, rest),
        _ => None,
    }
}

/// The state of a column while the rows are read.
struct State<'a> {
    column: &'a Column<'a>,
    shape: Shape,
    /// It has been reported, once is enough.
    is_reported: bool,
    /// The number of rows that have the column.
    count: usize,
    /// The first line that lacks it.
    absent: Option<usize>,
}

impl State<'_> {
    fn answers_to(&self, name: &str) -> bool {
        self.column.name == name || self.column.options.aliases.iter().any(|alias| alias.value() == name)
    }

    /// Only the compiler knows whether it may be missing.
    fn is_open(&self) -> bool {
        self.column.is_flat() || (matches!(self.shape, Shape::Unknown) && !self.column.is_json())
    }

    fn may_be_missing(&self) -> bool {
        self.column.default().is_some() || option_of(self.column.ty).is_some()
    }
}

/// The schema and the rows that it was held to.
struct Held<'a> {
    ctxt: &'a Ctxt,
    schema: &'a Schema<'a>,
    literal: &'a LitStr,
    /// The sample's name in messages, and its path as it was resolved.
    name: String,
    path: &'a str,
    states: Vec<State<'a>>,
    summaries: Summaries,
    /// Fields that are no column of the struct itself.
    others: Vec<String>,
    is_readable: bool,
}

impl<'a> Held<'a> {
    fn new(ctxt: &'a Ctxt, schema: &'a Schema<'a>, literal: &'a LitStr, path: &'a str) -> Self {
        let states = schema.columns.iter().map(|column| State {
            column,
            shape: if column.is_json() { Shape::Unknown } else { Shape::of_column(column) },
            is_reported: false,
            count: 0,
            absent: None,
        });
        Held {
            ctxt,
            schema,
            literal,
            name: literal.value(),
            path,
            states: states.collect(),
            summaries: Summaries::default(),
            others: Vec::new(),
            is_readable: true,
        }
    }

    /// Returns the row with the values of paths under the names of their columns, as if they were fields of the row.
    fn unfolded(&self, row: Row) -> Row {
        let paths: Vec<(&str, &Path)> = self
            .states
            .iter()
            .filter_map(|state| state.column.options.path.get().map(|path| (state.column.name.as_str(), path)))
            .collect();
        let mut fields = Vec::new();
        for field in row.fields {
            let mut inside = paths.iter().filter(|(_, path)| path.root() == field.name).peekable();
            match &field.cell {
                Cell::Json(value) if inside.peek().is_some() => {
                    fields.extend(inside.filter_map(|(name, path)| {
                        let cell = Cell::Json(at(value, &path.steps[1..])?.clone());
                        Some(Named { name: (*name).to_owned(), cell, column: field.column })
                    }));
                }
                _ => fields.push(field),
            }
        }
        Row { line: row.line, fields }
    }

    fn row(&mut self, row: &Row) {
        self.summaries.start(row.line);
        for (index, field) in row.fields.iter().enumerate() {
            let Some(at) =
                self.states.iter().position(|state| !state.column.is_flat() && state.answers_to(&field.name))
            else {
                self.other(row, field);
                continue;
            };
            let before = &row.fields[..index];
            if before.iter().any(|earlier| self.states[at].answers_to(&earlier.name)) {
                self.misfit(at, row.line, Some(field), "is given twice", None);
                continue;
            }
            self.states[at].count += 1;
            if self.states[at].is_open() || self.states[at].shape.has_unknown() {
                let name = self.states[at].column.name.clone();
                self.summaries.add(&name, row.line, &field.cell);
            }
            if self.states[at].column.is_json() {
                self.json(at, row.line, field);
            } else if let Err(misfit) = self.states[at].shape.judge(&field.cell) {
                self.misfit(at, row.line, Some(field), &misfit.found, misfit.help.as_deref());
            }
        }
        for state in &mut self.states {
            if state.absent.is_none() && !row.fields.iter().any(|field| state.answers_to(&field.name)) {
                state.absent = Some(row.line);
            }
        }
        self.summaries.end(row.line);
    }

    /// Checks only that the text of a `json` column is JSON: the macro does not know what its type accepts.
    fn json(&mut self, at: usize, line: usize, field: &Named) {
        if let Cell::Text(Some(text)) = &field.cell
            && crate::files::json::parse(text).is_err()
        {
            self.misfit(at, line, Some(field), "is no JSON", None);
        }
    }

    /// Judges a field that is not a column of the struct itself.
    fn other(&mut self, row: &Row, field: &Named) {
        let has_flat = self.schema.columns.iter().any(Column::is_flat);
        if has_flat {
            self.summaries.add(&field.name, row.line, &field.cell);
        }
        let is_new = !self.others.contains(&field.name);
        if is_new {
            self.others.push(field.name.clone());
        }
        let denied = self.schema.options.deny_unknown.is_set() && !RESERVED.contains(&field.name.as_str());
        if is_new && denied && !has_flat {
            let names: Vec<&str> = self.states.iter().map(|state| state.column.name.as_str()).collect();
            let near = suggest::nearest(&field.name, &names);
            let help = near.map_or(String::new(), |near| format!("\nhelp: did you mean `{near}`?"));
            let ident = self.schema.ident;
            let reason = format!("`{ident}` has no column `{}`, and denies unknown ones{help}", field.name);
            self.at_sample(row.line, field.column, &reason);
        }
    }

    /// An error about the sample as such.
    fn at_sample(&self, line: usize, column: usize, reason: &str) {
        let (name, path) = (&self.name, self.path);
        self.ctxt.error(self.literal, format!("`{name}` line {line}: {reason}\nnote: at {path}:{line}:{column}"));
    }

    /// An error about a column.
    fn misfit(&mut self, at: usize, line: usize, field: Option<&Named>, found: &str, help: Option<&str>) {
        let state = &mut self.states[at];
        if std::mem::replace(&mut state.is_reported, true) {
            return;
        }
        let (name, path, wanted) = (&self.name, self.path, text(state.column.ty));
        let (column, shown) =
            field.map_or((1, state.column.name.as_str()), |field| (field.column, field.name.as_str()));
        let wants = if found == "is given twice" { String::new() } else { format!(", the column wants `{wanted}`") };
        let help = help.map_or(String::new(), |help| format!("\nhelp: {help}"));
        let message = format!("`{name}` line {line}: `{shown}` {found}{wants}{help}\nnote: at {path}:{line}:{column}");
        self.ctxt.error(state.column.ident, message);
    }

    /// Reports what only all rows together show, and generates the checks that the compiler makes.
    fn finish(mut self) -> TokenStream {
        if !self.is_readable {
            return TokenStream::new();
        }
        for at in 0..self.states.len() {
            let state = &self.states[at];
            if state.is_open() || state.may_be_missing() || state.is_reported {
                continue;
            }
            let name = state.column.name.clone();
            let ty = text(state.column.ty);
            match (state.count, state.absent) {
                (0, _) => {
                    let others: Vec<&str> = self.others.iter().map(String::as_str).collect();
                    let help = match suggest::nearest(&name, &others) {
                        Some(near) => format!("it has `{near}`: write `#[schema(rename = {near:?})]`"),
                        None => format!("add `#[schema(default)]`, or make it an `Option<{ty}>`"),
                    };
                    let sample = &self.name;
                    let message = format!("no line of `{sample}` has `{name}`, which has no default\nhelp: {help}");
                    self.ctxt.error(state.column.ident, message);
                }
                (_, Some(line)) => {
                    let help = format!("add `#[schema(default)]`, or make it an `Option<{ty}>`");
                    self.misfit(at, line, None, "is missing", Some(&help));
                }
                (_, None) => {}
            }
        }
        let open = self.states.iter().filter(|state| !state.is_reported);
        let open = open.filter(|state| state.is_open() || state.shape.has_unknown()).map(|state| state.column);
        self.summaries.expand(self.schema, &self.name, open)
    }
}
