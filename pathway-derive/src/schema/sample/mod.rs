//! `sample = "cats.jsonl"`: the schema is held to real data, at compile time.
//!
//! The file's first rows are read (`files::rows`), and each field is judged by the type of its column as it is written (`type_check`).
//! Where the type is a name that only the compiler knows (an alias, a newtype, the columns of a `flatten`), the field is judged
//! by every type (`summary`), and a function of the runtime that the compiler evaluates picks the verdict.

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
use super::spelling::{self, Trust};
use crate::ctxt::Ctxt;
use crate::files::data_type::DataType;
use crate::files::json::Value;
use crate::files::rows::{Cell, Named, Row, Rows};
use crate::suggest;
use crate::types::{option_of, text};
use summary::{Key, Summaries};
use type_check::judge;

/// How many items of a list, and how many steps into a value, are looked at for the paths of flattened schemas.
const REACH: usize = 8;

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
            Ok(row) => held.row(&row),
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

/// The state of a column while the rows are read.
struct State<'a> {
    column: &'a Column<'a>,
    /// The type as far as the macro knows it.
    data_type: DataType,
    /// It has been reported, once is enough.
    is_reported: bool,
    /// The number of rows that have the column.
    count: usize,
    /// The first line that lacks it.
    absent: Option<usize>,
    /// The fields of the sample that it reads, if the compiler has to judge them.
    keys: Vec<Key>,
}

impl<'a> State<'a> {
    fn new(column: &'a Column<'a>) -> Self {
        let data_type = match column.is_flat() {
            true => DataType::Unknown,
            false => spelling::data_type(column, Trust::Certain),
        };
        State { column, data_type, is_reported: false, count: 0, absent: None, keys: Vec::new() }
    }

    fn path(&self) -> Option<&'a Path> {
        self.column.options.path.get()
    }

    /// Returns the name that it has in a row.
    fn name(&self) -> String {
        self.path().map_or_else(|| self.column.name.clone(), |path| path.literal.value())
    }

    fn begins_in(&self, field: &Named) -> bool {
        matches!(field.cell, Cell::Json(_)) && self.path().is_some_and(|path| path.root() == field.name)
    }

    fn reads(&self, field: &Named, is_inside: bool) -> bool {
        let column = self.column;
        match is_inside {
            true => self.path().is_some_and(|path| path.literal.value() == field.name),
            false if column.is_flat() || self.begins_in(field) => false,
            false => column.name == field.name || column.options.aliases.iter().any(|name| name.value() == field.name),
        }
    }

    /// Only the compiler knows whether it may be missing.
    fn is_open(&self) -> bool {
        self.data_type == DataType::Unknown
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
    /// There are paths, or there could be, into the values.
    is_deep: bool,
    /// How many items of a list are looked at, and how many steps into a value.
    items: usize,
    steps: usize,
    states: Vec<State<'a>>,
    summaries: Summaries,
    /// Fields that are no column of the struct itself.
    others: Vec<String>,
    is_readable: bool,
}

impl<'a> Held<'a> {
    fn new(ctxt: &'a Ctxt, schema: &'a Schema<'a>, literal: &'a LitStr, path: &'a str) -> Self {
        let states: Vec<State> = schema.columns.iter().map(State::new).collect();
        let index = |step: &Step| if let Step::Item(index) = step { index + 1 } else { 0 };
        let paths = || states.iter().filter_map(State::path).map(|path| &path.steps);
        Held {
            ctxt,
            schema,
            literal,
            name: literal.value(),
            path,
            is_deep: schema.columns.iter().any(Column::is_flat) || paths().next().is_some(),
            items: paths().flatten().map(index).fold(REACH, usize::max),
            steps: paths().map(Vec::len).fold(REACH, usize::max),
            states,
            summaries: Summaries::new(),
            others: Vec::new(),
            is_readable: true,
        }
    }

    /// Adds the values inside of a value, under the paths to them.
    fn unfold(&self, path: &str, value: &Value, column: usize, depth: usize, fields: &mut Vec<Named>) {
        if depth >= self.steps {
            return;
        }
        let mut add = |name: String, value: &Value| {
            self.unfold(&name, value, column, depth + 1, fields);
            fields.push(Named { name, cell: Cell::Json(value.clone()), column });
        };
        match value {
            Value::Object(inner) => {
                // no path leads to a name that has a character of paths
                let inner = inner.iter().filter(|field| !field.name.contains(['.', '[', ']']));
                inner.for_each(|field| add(format!("{path}.{}", field.name), &field.value));
            }
            Value::List(items) => {
                let items = items.iter().enumerate().take(self.items);
                items.for_each(|(i, item)| add(format!("{path}[{i}]"), item));
            }
            _ => {}
        }
    }

    fn row(&mut self, row: &Row) {
        let mut inside = Vec::new();
        for field in row.fields.iter().filter(|_| self.is_deep) {
            if let Cell::Json(value) = &field.cell {
                self.unfold(&field.name, value, field.column, 1, &mut inside);
            }
        }
        self.summaries.start(row.line);
        let mut found = vec![false; self.states.len()];
        let fields = row.fields.iter().map(|field| (field, false)).chain(inside.iter().map(|field| (field, true)));
        for (field, is_inside) in fields {
            let Some(at) = self.states.iter().position(|state| state.reads(field, is_inside)) else {
                self.other(row, field, is_inside);
                continue;
            };
            if std::mem::replace(&mut found[at], true) {
                self.misfit(at, row.line, Some(field), "is given twice", None);
                continue;
            }
            let state = &mut self.states[at];
            state.count += 1;
            if state.data_type.has_unknown() {
                let key = Key { name: field.name.clone(), is_inside };
                if !state.keys.contains(&key) {
                    state.keys.push(key.clone());
                }
                self.summaries.add(key, (row.line, field.column), &field.cell);
            }
            if let Err(misfit) = judge(&state.data_type, &field.cell) {
                self.misfit(at, row.line, Some(field), &misfit.found, misfit.help);
            }
        }
        for (state, _) in self.states.iter_mut().zip(found).filter(|(_, found)| !found) {
            state.absent.get_or_insert(row.line);
        }
        self.summaries.end(row.line);
    }

    /// Judges a field that is not a column of the struct itself.
    fn other(&mut self, row: &Row, field: &Named, is_inside: bool) {
        let has_flat = self.schema.columns.iter().any(Column::is_flat);
        if has_flat {
            let key = Key { name: field.name.clone(), is_inside };
            self.summaries.add_other(key, (row.line, field.column), &field.cell);
        }
        if is_inside || self.states.iter().any(|state| state.begins_in(field)) {
            return;
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
        let (column, shown) = field.map_or_else(|| (1, state.name()), |field| (field.column, field.name.clone()));
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
            let name = state.name();
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
        let states = self.states.iter().enumerate();
        let open = states.filter(|(_, state)| !state.is_reported && state.data_type.has_unknown());
        let open: Vec<_> = open.map(|(i, state)| (i, state.column, state.keys.as_slice())).collect();
        self.summaries.expand(self.schema, &self.name, self.path, &open)
    }
}
