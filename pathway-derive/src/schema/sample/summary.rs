//! What a sample's fields hold, for columns whose type only the compiler knows: an alias, or a column of a flattened schema.
//!
//! The values are judged here as values of every type that a column can have. Of each type, the first value that does not
//! fit is passed on, and the runtime picks the one for the type that the column turns out to have.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::type_check::{Misfit, inside, judge, judge_json};
use crate::files::data_type::{DataType, PLAIN};
use crate::files::json::Value;
use crate::files::rows::Cell;
use crate::option;
use crate::schema::ast::{Column, Schema};

/// A line and a column, from 1.
pub type Place = (usize, usize);

/// The most values inside of others that are passed on: an object can be a map with a name for each row.
const MOST: usize = 256;

/// The field of a row, or the path to a value inside of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub name: String,
    pub is_inside: bool,
}

/// Values of which each type that a column can have takes all or has a first that it does not take.
struct Seen {
    null: Option<Place>,
    /// By the numbers of the types in the runtime.
    faults: Vec<Option<(Place, String)>>,
}

struct Summary {
    values: Seen,
    /// What lists and objects hold.
    items: Seen,
    /// The first line without the field.
    absent: Option<usize>,
    /// The last line with it.
    last: usize,
}

/// The summaries of a sample.
pub struct Summaries {
    types: Vec<DataType>,
    fields: BTreeMap<Key, Summary>,
    first_line: Option<usize>,
    /// It is CSV, where every value is a text.
    is_text: bool,
    /// None of the values inside of others was left out.
    is_deep: bool,
}

impl Summaries {
    pub fn new() -> Self {
        let plain = PLAIN.iter().map(|(name, _)| DataType::Plain(name));
        let unknown = || Box::new(DataType::Unknown);
        let types = plain.chain([DataType::Bytes, DataType::List(unknown()), DataType::Map(unknown())]).collect();
        Summaries { types, fields: BTreeMap::new(), first_line: None, is_text: false, is_deep: true }
    }

    pub fn start(&mut self, line: usize) {
        self.first_line.get_or_insert(line);
    }

    /// Adds a value that may be that of a column in a flattened schema.
    pub fn add_other(&mut self, key: Key, place: Place, cell: &Cell) {
        let is_full = || self.fields.keys().filter(|key| key.is_inside).count() >= MOST;
        if key.is_inside && !self.fields.contains_key(&key) && is_full() {
            self.is_deep = false;
        } else {
            self.add(key, place, cell);
        }
    }

    pub fn add(&mut self, key: Key, place: Place, cell: &Cell) {
        let (types, first_line) = (&self.types, self.first_line);
        let seen = || Seen { null: None, faults: vec![None; types.len()] };
        let summary = self.fields.entry(key).or_insert_with(|| Summary {
            values: seen(),
            items: seen(),
            // the lines before did not have it
            absent: first_line.filter(|first| *first < place.0),
            last: 0,
        });
        summary.last = place.0;
        self.is_text |= matches!(cell, Cell::Text(_));
        let is_null = matches!(cell, Cell::Json(Value::Null) | Cell::Text(None));
        summary.values.add(types, place, is_null, |data_type| judge(data_type, cell));
        let items: Vec<&Value> = match cell {
            Cell::Json(Value::List(items)) => items.iter().collect(),
            Cell::Json(Value::Object(fields)) => fields.iter().map(|field| &field.value).collect(),
            _ => Vec::new(),
        };
        for item in items {
            let is_null = *item == Value::Null;
            summary.items.add(types, place, is_null, |data_type| judge_json(data_type, item).map_err(inside));
        }
    }

    pub fn end(&mut self, line: usize) {
        for summary in self.fields.values_mut().filter(|summary| summary.last != line) {
            summary.absent.get_or_insert(line);
        }
    }

    /// Returns a check for each of the columns, with the number of its field and the fields that it reads.
    pub fn expand(
        &self,
        schema: &Schema,
        sample: &str,
        path: &str,
        columns: &[(usize, &Column, &[Key])],
    ) -> TokenStream {
        if columns.is_empty() {
            return TokenStream::new();
        }
        let (import, pw) = option::runtime(schema.options.krate.get());
        let (row, Summaries { is_text, is_deep, .. }) = (schema.ident, self);
        let mut checks = TokenStream::new();
        for (i, column, keys) in columns {
            let at = option::ident_at(&pw, option::glue(column.ident.span()));
            let (check, fields) = if column.is_flat() {
                ("assert_flat_sample", quote!(FIELDS))
            } else {
                let fields = keys.iter().filter_map(|key| Some(self.fields.get(key)?.expand(key, &pw)));
                ("assert_sample", quote!(&[#(#fields),*]))
            };
            let check = Ident::new(check, at.span());
            checks.extend(quote_spanned! {at.span()=>
                const _: () = #at::#check(<#row as #at::Schema>::SCHEMA, #i, SAMPLE, #fields);
            });
        }
        let fields = schema.columns.iter().any(Column::is_flat).then(|| {
            // any of these can be that of a flattened schema
            let fields = self.fields.iter().map(|(key, summary)| summary.expand(key, &pw));
            quote!(const FIELDS: &[#pw::SampleField] = &[#(#fields),*];)
        });
        if let (true, Some(literal), Some(_)) =
            (schema.options.deny_unknown.is_set(), schema.options.sample.get(), &fields)
        {
            let at = option::ident_at(&pw, option::glue(literal.span()));
            checks.extend(quote_spanned! {at.span()=>
                const _: () = #at::assert_sample_known(<#row as #at::Schema>::SCHEMA, SAMPLE, FIELDS);
            });
        }
        quote! {
            const _: () = {
                #import
                const SAMPLE: &#pw::Sample =
                    &#pw::Sample { name: #sample, path: #path, is_text: #is_text, is_deep: #is_deep };
                #fields
                #checks
            };
        }
    }
}

impl Summary {
    fn expand(&self, key: &Key, pw: &Ident) -> TokenStream {
        let (Key { name, is_inside }, absent) = (key, number(self.absent.unwrap_or_default()));
        let (values, items) = (self.values.expand(pw), self.items.expand(pw));
        quote! {
            #pw::SampleField { name: #name, is_inside: #is_inside, values: #values, items: #items, absent: #absent }
        }
    }
}

impl Seen {
    fn add(
        &mut self,
        types: &[DataType],
        place: Place,
        is_null: bool,
        judge: impl Fn(&DataType) -> Result<(), Misfit>,
    ) {
        if is_null {
            self.null.get_or_insert(place);
            return;
        }
        for (fault, data_type) in self.faults.iter_mut().zip(types).filter(|(fault, _)| fault.is_none()) {
            *fault = judge(data_type).err().map(|misfit| (place, misfit.found));
        }
    }

    fn expand(&self, pw: &Ident) -> TokenStream {
        let mut faults: BTreeMap<&(Place, String), u32> = BTreeMap::new();
        for (number, fault) in self.faults.iter().enumerate() {
            if let Some(fault) = fault {
                *faults.entry(fault).or_default() |= 1 << number;
            }
        }
        if faults.is_empty() && self.null.is_none() {
            return quote!(#pw::Seen::NONE);
        }
        let faults = faults.iter().map(|(((line, column), found), types)| {
            let (types, line, column) = (Literal::u32_unsuffixed(*types), number(*line), number(*column));
            quote!((#types, #line, #column, #found))
        });
        let (line, column) = self.null.unwrap_or_default();
        let (line, column) = (number(line), number(column));
        quote!(#pw::Seen { faults: &[#(#faults),*], null: (#line, #column) })
    }
}

fn number(number: usize) -> Literal {
    Literal::usize_unsuffixed(number)
}
