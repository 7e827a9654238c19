//! What a sample's fields hold, summed up for the compiler to judge: it alone knows what an alias is, or the columns of a
//! flattened schema.
//!
//! Of each field the kinds of its values are kept, with the first line that has each. That is little, whatever the size of
//! the sample, and is judged in `pathway_io`'s `schema/sample.rs`.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::type_check::{is_float_name, whole};
use crate::files::json::Value;
use crate::files::rows::Cell;
use crate::option;
use crate::schema::ast::{Column, Schema};

/// The kinds of values, by their names in the runtime.
type Kinds = BTreeMap<&'static str, usize>;

/// Integers further out fit no column anyway.
const FAR: i128 = 1 << 100;

#[derive(Default)]
struct Summary {
    /// The first line with each kind.
    kinds: Kinds,
    /// The kinds of the items in lists.
    items: Kinds,
    /// The least and the greatest integer, and their lines.
    least: Option<(i128, usize)>,
    most: Option<(i128, usize)>,
    /// The first line without the field.
    absent: Option<usize>,
    /// The last line with it.
    last: usize,
}

/// The summaries by the fields' names.
#[derive(Default)]
pub struct Summaries {
    fields: BTreeMap<String, Summary>,
    first_line: Option<usize>,
    /// It is CSV, where every value is a text.
    is_text: bool,
}

impl Summaries {
    pub fn start(&mut self, line: usize) {
        self.first_line.get_or_insert(line);
    }

    pub fn add(&mut self, name: &str, line: usize, cell: &Cell) {
        let first_line = self.first_line;
        let summary = self.fields.entry(name.to_owned()).or_insert_with(|| Summary {
            // the lines before did not have it
            absent: first_line.filter(|first| *first < line),
            ..Summary::default()
        });
        summary.last = line;
        match cell {
            Cell::Json(value) => {
                summary.kinds.entry(kind(value)).or_insert(line);
                match value {
                    Value::Integer(integer) => summary.integer(*integer, line),
                    Value::Float(found) => whole(*found).into_iter().for_each(|integer| summary.integer(integer, line)),
                    Value::List(items) => items.iter().for_each(|item| {
                        summary.items.entry(kind(item)).or_insert(line);
                    }),
                    _ => {}
                }
            }
            Cell::Text(text) => {
                self.is_text = true;
                summary.kinds.entry(kind_of_text(text.as_deref())).or_insert(line);
                if let Some(integer) = text.as_deref().and_then(|text| text.parse().ok()) {
                    summary.integer(integer, line);
                }
            }
        }
    }

    pub fn end(&mut self, line: usize) {
        for summary in self.fields.values_mut().filter(|summary| summary.last != line) {
            summary.absent.get_or_insert(line);
        }
    }

    /// Returns a check for each of the columns.
    pub fn expand<'a>(
        &self,
        schema: &Schema,
        sample: &str,
        columns: impl Iterator<Item = &'a Column<'a>>,
    ) -> TokenStream {
        let (import, pw) = option::runtime(schema.options.krate.get());
        let row = schema.ident;
        let is_text = self.is_text;
        let mut checks = TokenStream::new();
        for column in columns {
            // a flattened schema may have any of the fields that the struct itself has not
            let fields = self.fields.iter().filter(|(name, _)| {
                column.is_flat() || *column.name == **name || column.options.aliases.iter().any(|a| a.value() == **name)
            });
            let fields: TokenStream = fields.map(|(name, summary)| summary.expand(name, &pw)).collect();
            let field = column.ident.unraw().to_string();
            let span = Span::mixed_site().located_at(column.ident.span());
            let at = option::ident_at(&pw, span);
            checks.extend(quote_spanned! {span=>
                const _: () = #at::assert_sample(
                    <#row as #at::Schema>::SCHEMA, #field, &#at::Sample { name: #sample, is_text: #is_text, fields: &[#fields] },
                );
            });
        }
        if let (true, Some(literal)) = (schema.options.deny_unknown.is_set(), schema.options.sample.get())
            && schema.columns.iter().any(Column::is_flat)
        {
            let fields: TokenStream = self.fields.iter().map(|(name, summary)| summary.expand(name, &pw)).collect();
            let span = Span::mixed_site().located_at(literal.span());
            let at = option::ident_at(&pw, span);
            checks.extend(quote_spanned! {span=>
                const _: () = #at::assert_sample_known(
                    <#row as #at::Schema>::SCHEMA,
                    &#at::Sample { name: #sample, is_text: #is_text, fields: &[#fields] },
                );
            });
        }
        if checks.is_empty() {
            return checks;
        }
        quote!(const _: () = { #import #checks };)
    }
}

impl Summary {
    fn integer(&mut self, integer: i128, line: usize) {
        let integer = integer.clamp(-FAR, FAR);
        if self.least.is_none_or(|(least, _)| integer < least) {
            self.least = Some((integer, line));
        }
        if self.most.is_none_or(|(most, _)| integer > most) {
            self.most = Some((integer, line));
        }
    }

    fn expand(&self, name: &str, pw: &Ident) -> TokenStream {
        let seen = |kinds: &Kinds| -> TokenStream {
            let kinds = kinds.iter().map(|(kind, line)| {
                let kind = Ident::new(kind, Span::mixed_site());
                let line = number(*line);
                quote!((#pw::Kind::#kind, #line),)
            });
            kinds.collect()
        };
        let (kinds, items) = (seen(&self.kinds), seen(&self.items));
        let [least, most] = [self.least, self.most].map(|end| {
            let (integer, line) = end.unwrap_or_default();
            let (magnitude, line) = (Literal::u128_unsuffixed(integer.unsigned_abs()), number(line));
            let sign = (integer < 0).then(|| quote!(-));
            quote!((#sign #magnitude, #line))
        });
        let absent = number(self.absent.unwrap_or_default());
        quote! {
            #pw::SampleField { name: #name, kinds: &[#kinds], items: &[#items], least: #least, most: #most, absent: #absent },
        }
    }
}

fn number(line: usize) -> Literal {
    Literal::usize_unsuffixed(line)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Bool",
        Value::Integer(_) => "Integer",
        Value::Float(found) if whole(*found).is_some() => "Integer",
        Value::Float(_) => "Float",
        Value::String(text) if is_float_name(text) => "FloatName",
        Value::String(_) => "Text",
        Value::List(_) => "List",
        Value::Object(_) => "Object",
    }
}

fn kind_of_text(text: Option<&str>) -> &'static str {
    match text {
        None => "Null",
        Some("true" | "false") => "Bool",
        Some(text) if text.parse::<i128>().is_ok() => "Integer",
        Some(text) if text.parse::<f64>().is_ok() => "Float",
        Some(_) => "Text",
    }
}
