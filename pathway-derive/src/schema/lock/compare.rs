//! Compares a struct with its lock, to find out whether existing rows can still be read.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::LitStr;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::{ACCEPT, COMPATIBLE};
use crate::ctxt::Ctxt;
use crate::files::data_type::{DataType, PLAIN};
use crate::files::lock::{Entry, Lock, LockedColumn};
use crate::option;
use crate::schema::ast::{Column, Schema};
use crate::schema::spelling::Trust;
use crate::types::text;

/// Reports incompatible changes, and returns checks that the compiler evaluates for types that the macro does not know.
pub fn compare(ctxt: &Ctxt, schema: &Schema, literal: &LitStr, lock: &Lock, is_new: bool) -> TokenStream {
    let comparison = Comparison { ctxt, schema, literal, lock, is_new, file: literal.value() };
    comparison.compare_options();
    if !comparison.has_same_key() {
        // One change should cause one error: a column that joins or leaves the key would be reported a second time.
        return TokenStream::new();
    }
    let mut checks = TokenStream::new();
    for entry in &lock.entries {
        match entry {
            Entry::Column(old) => checks.extend(comparison.compare_column(old)),
            Entry::Flatten { ty, field, prefix, .. } => comparison.compare_flattened(ty, field, prefix),
        }
    }
    checks.extend(schema.columns.iter().map(|column| comparison.check_added(column)));
    checks
}

struct Comparison<'a> {
    ctxt: &'a Ctxt,
    schema: &'a Schema<'a>,
    literal: &'a LitStr,
    lock: &'a Lock,
    /// Whether the lock has just been written, so that writing it again would not help.
    is_new: bool,
    file: String,
}

impl Comparison<'_> {
    fn report_breaking(&self, tokens: impl quote::ToTokens, what: String) {
        self.ctxt.error(tokens, with_help(what));
    }

    /// Compares the properties of the whole schema.
    fn compare_options(&self) {
        let (name, locked, file) = (self.schema.ident.unraw().to_string(), &self.lock.name, &self.file);
        if name != *locked {
            self.ctxt.error(self.literal, format!("`{file}` is the lock of `{locked}`, not of `{name}`\n{ACCEPT}"));
        }
        if let (false, Some(key)) = (self.lock.deny_unknown, self.schema.options.deny_unknown.key()) {
            self.report_breaking(
                key,
                format!("`deny_unknown` is not in `{file}`: existing rows with further fields cannot be read"),
            );
        }
    }

    fn has_same_key(&self) -> bool {
        let old = self.lock.entries.iter().filter_map(|entry| match entry {
            Entry::Column(column) => column.primary_key.then_some(&column.name),
            Entry::Flatten { field, primary_key, .. } => primary_key.then_some(field),
        });
        let old: Vec<String> = old.cloned().collect();
        let new: Vec<String> = self.schema.columns.iter().filter(|column| column.is_key()).map(Column::label).collect();
        if old == new {
            return true;
        }
        let shown =
            |key: &[String]| if key.is_empty() { "nothing".to_owned() } else { format!("`{}`", key.join(", ")) };
        let (file, was, is) = (&self.file, shown(&old), shown(&new));
        let what = format!(
            "the primary key was {was} in `{file}` and is now {is}: stored rows would be identified by other columns"
        );
        let differs = |name: String| old.contains(&name) != new.contains(&name);
        match self.schema.columns.iter().find(|column| differs(column.label())) {
            Some(column) => self.report_breaking(column.ident, what),
            None => self.report_breaking(self.literal, what),
        }
        false
    }

    fn compare_column(&self, old: &LockedColumn) -> TokenStream {
        let (name, file) = (&old.name, &self.file);
        let was = if old.optional { format!("Option<{}>", old.data_type) } else { old.data_type.to_string() };
        let gone = with_help(format!(
            "column `{name}` of `{file}` is gone from `{}`: existing rows have it",
            self.schema.ident.unraw()
        ));
        let lost = with_help(format!("column `{name}` has lost the default of `{file}`: existing rows may lack it"));
        let differs = format!("column `{name}` was `{was}` in `{file}` and is now `\0`: existing rows cannot be read");
        let found = self.schema.columns.iter().find(|column| !column.is_flat() && column.name == old.name);
        let Some(column) = found else {
            if self.schema.columns.iter().any(Column::is_flat) {
                // One of the flattened schemas may have the column.
                return self.const_check(old, self.literal.span(), [&gone, &with_help(differs), &lost], true);
            }
            self.ctxt.error(self.literal, gone);
            return TokenStream::new();
        };
        let is_there = |alias: &String| column.options.aliases.iter().any(|new| new.value() == *alias);
        for alias in old.aliases.iter().filter(|alias| **alias != column.name && !is_there(alias)) {
            self.report_breaking(column.ident, self.lost_alias(name, alias));
        }
        self.compare_path(column, old);
        let (new, optional) = column.data_type(Trust::Certain).without_option();
        if new.has_unknown() || old.data_type.has_unknown() {
            let is_writable = !self.is_new && !column.data_type(Trust::Likely).has_unknown();
            let differs = match old.data_type {
                DataType::Unknown => format!("column `{name}` has no type in `{file}`"),
                _ => differs,
            };
            let differs = if is_writable {
                with_help(differs)
            } else {
                let ty = text(column.ty);
                format!(
                    "{differs}\nnote: the macro that writes `{file}` cannot see which type `{ty}` is\n\
                     help: to accept it, write `\u{1}` there"
                )
            };
            return self.const_check(old, column.ident.span(), [&gone, &differs, &lost], false);
        }
        if !new.reads(&old.data_type) || (old.optional && !optional) {
            self.ctxt.error(column.ident, with_help(differs).replace('\0', &text(column.ty)));
        } else if (old.has_default || old.optional) && column.default().is_none() && !optional {
            self.ctxt.error(column.ident, lost);
        }
        TokenStream::new()
    }

    fn lost_alias(&self, name: &str, alias: &str) -> String {
        format!("column `{name}` has lost the alias `{alias}` of `{}`: existing rows have it", self.file)
    }

    /// Checks the path of the column. A column with a path is also read by its name, unless the path begins in a field
    /// of that name.
    fn compare_path(&self, column: &Column, old: &LockedColumn) {
        let path = column.options.path.get();
        let is = path.map_or(String::new(), |path| path.literal.value());
        let is_read_by_name = path.is_none_or(|path| path.root() != column.name);
        if is == old.path || (old.path.is_empty() && is_read_by_name) {
            return;
        }
        let (name, file, was, is) = (&old.name, &self.file, place_of_path(&old.path), place_of_path(&is));
        let what =
            format!("column `{name}` was read {was} in `{file}` and is now read {is}: existing rows have it elsewhere");
        match path {
            Some(path) => self.report_breaking(&path.literal, what),
            None => self.report_breaking(column.ident, what),
        }
    }

    fn compare_flattened(&self, ty: &str, field: &str, prefix: &str) {
        let (file, ident) = (&self.file, self.schema.ident);
        let found = self.schema.columns.iter().find(|column| column.is_flat() && column.label() == field);
        let Some(column) = found else {
            let what =
                format!("the columns of `{field}: {ty}` in `{file}` are gone from `{ident}`: existing rows have them");
            return self.report_breaking(self.literal, what);
        };
        let (is_type, is) = (text(column.ty), column.prefix());
        if is_type != ty {
            let what = format!("the columns of `{field}` came from `{ty}` in `{file}` and now come from `{is_type}`");
            self.report_breaking(column.ident, what);
        } else if is != prefix {
            let shown = |prefix: &str| match prefix {
                "" => "no prefix".to_owned(),
                prefix => format!("the prefix `{prefix}`"),
            };
            let (was, is) = (shown(prefix), shown(&is));
            let what = format!(
                "the columns of `{field}` had {was} in `{file}` and now have {is}: existing rows have other names"
            );
            match column.options.prefix.get() {
                Some(prefix) => self.report_breaking(prefix, what),
                None => self.report_breaking(column.ident, what),
            }
        }
    }

    /// Checks a column that the lock lacks: it must be optional or have a default, and a flattened schema must have a
    /// lock.
    fn check_added(&self, column: &Column) -> TokenStream {
        let is_known = self.lock.entries.iter().any(|entry| match entry {
            Entry::Column(old) => !column.is_flat() && old.name == column.name,
            Entry::Flatten { field, .. } => column.is_flat() && *field == column.label(),
        });
        let ty = column.ty;
        let locked =
            column.is_flat().then(|| quote_spanned!(ty.span()=> const _: () = __pathway_io::assert_locked::<#ty>();));
        if is_known || column.default().is_some() {
            return quote!(#locked);
        }
        let error = format!(
            "column `\u{1}` is not in `{}` and has no default: existing rows lack it\n\
             help: add `#[schema(default)]`, make it an `Option<\0>`, or set `PATHWAY_LOCK=update` and build",
            self.file
        );
        match column.data_type(Trust::Certain) {
            _ if column.is_flat() => {}
            DataType::Optional(_) => return TokenStream::new(),
            data_type if data_type.has_unknown() => {}
            _ => {
                let error = error.replace('\0', &text(ty)).replace('\u{1}', &column.name);
                self.ctxt.error(column.ident, error);
                return TokenStream::new();
            }
        }
        let (row, i) = (self.schema.ident, column.index);
        let names = self.lock.columns().map(|column| &column.name);
        quote_spanned! {option::mixed_site_at(column.ident.span())=>
            #locked
            const _: () = __pathway_io::assert_lock_needs_nothing(
                <#row as __pathway_io::Schema>::SCHEMA, #i, &[#(#names),*], #error
            );
        }
    }

    /// Returns the check that the compiler evaluates for a column of the lock, with the errors for a missing column,
    /// for a type that does not fit, and for a missing default. The column may be in a flattened schema (`is_moved`),
    /// where only the compiler sees its aliases and its path.
    fn const_check(
        &self,
        old: &LockedColumn,
        span: Span,
        [gone, differs, lost]: [&str; 3],
        is_moved: bool,
    ) -> TokenStream {
        let row = self.schema.ident;
        let aliases = old.aliases.iter().filter(|_| is_moved).map(|alias| {
            let lost = with_help(self.lost_alias(&old.name, alias));
            quote!((#alias, #lost))
        });
        let path = if is_moved {
            let (name, file, path) = (&old.name, &self.file, &old.path);
            let (was, reason) = (place_of_path(path), "is now read elsewhere: existing rows have it there");
            let moved = with_help(format!("column `{name}` was read {was} in `{file}` and {reason}"));
            quote!(__pathway_io::Some((#path, #moved)))
        } else {
            quote!(__pathway_io::None)
        };
        let LockedColumn { name, optional, has_default, .. } = old;
        let data_type = match &old.data_type {
            DataType::Unknown => quote!(__pathway_io::None),
            data_type => {
                let data_type = type_tokens(data_type);
                quote!(__pathway_io::Some(#data_type))
            }
        };
        quote_spanned! {option::mixed_site_at(span)=>
            const _: () = __pathway_io::assert_lock(
                <#row as __pathway_io::Schema>::SCHEMA,
                &__pathway_io::LockedColumn {
                    name: #name, data_type: #data_type, optional: #optional, has_default: #has_default,
                    aliases: &[#(#aliases),*], path: #path,
                    gone: #gone, differs: #differs, lost: #lost,
                }
            );
        }
    }
}

/// Describes where a column is read.
fn place_of_path(path: &str) -> String {
    if path.is_empty() { "by its name".to_owned() } else { format!("at `{path}`") }
}

fn with_help(what: String) -> String {
    format!("{what}\n{COMPATIBLE}\n{ACCEPT}")
}

/// Returns the type as a constant of the runtime's.
fn type_tokens(data_type: &DataType) -> TokenStream {
    let variant = |name: &str| {
        let name = Ident::new(name, Span::mixed_site());
        quote!(__pathway_io::DataType::#name)
    };
    let around = |name: &str, item: &DataType| {
        let (variant, item) = (variant(name), type_tokens(item));
        quote!(#variant(&#item))
    };
    match data_type {
        DataType::Plain(name) => {
            variant(PLAIN.iter().find(|(known, _)| known == name).map_or("Str", |(_, variant)| variant))
        }
        DataType::Bytes => variant("Bytes"),
        // A lock never has an unknown type.
        DataType::Unknown => variant("Json"),
        DataType::Map(item) => around("Map", item),
        DataType::Optional(item) => around("Optional", item),
        DataType::List(item) => around("List", item),
        DataType::Array(item, len) => {
            let item = type_tokens(item);
            quote!(__pathway_io::DataType::Array(&#item, #len))
        }
        DataType::Tuple(items) => {
            let items = items.iter().map(type_tokens);
            quote!(__pathway_io::DataType::Tuple(&[#(#items),*]))
        }
    }
}
