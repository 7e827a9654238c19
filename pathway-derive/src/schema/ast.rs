//! The model of a row struct: the user's tokens, with every option in its place.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{
    Data, DataStruct, DeriveInput, Expr, Field, Fields, Generics, Ident, LitStr, Path, Type, TypeParam, WherePredicate,
    parse_quote, parse_quote_spanned,
};

use super::attr::{ColumnOptions, StructOptions, description};
use super::column_type;
use super::spelling::{self, Trust};
use crate::ctxt::Ctxt;
use crate::files::data_type::DataType;
use crate::generics;
use crate::option::{self, Given};
use crate::types::{self, text};

/// A struct that derives `Schema`.
pub struct Schema<'a> {
    pub ident: &'a Ident,
    /// The parameters; types are `'static`, as rows are, so that a forgotten bound does not cause an error at each of
    /// the impls.
    pub generics: Generics,
    pub options: StructOptions,
    pub description: String,
    pub columns: Vec<Column<'a>>,
    /// The fields that are not columns.
    pub skipped: Vec<Column<'a>>,
    /// Whether two fields have the same name, which rustc reports.
    pub repeats_field: bool,
    /// Whether all columns of the struct itself have different names.
    pub names_differ: bool,
}

/// A field.
pub struct Column<'a> {
    /// The number of the column among those of the struct.
    pub index: usize,
    pub ident: &'a Ident,
    pub ty: &'a Type,
    pub options: ColumnOptions,
    /// The name in JSON and in the output.
    pub name: String,
    pub description: String,
    /// Whether its type or its options would cause further errors in an impl.
    pub is_broken: bool,
}

/// The conversion between a field and its column.
pub enum Conversion<'a> {
    /// The functions of a module.
    Module(&'a Path),
    /// The traits of the standard library.
    Types { into: &'a Type },
}

impl<'a> Schema<'a> {
    /// Reads the whole item. Reports mistakes in its shape and in each single option.
    pub fn from_input(ctxt: &Ctxt, input: &'a DeriveInput) -> Self {
        let options = StructOptions::from_attributes(ctxt, &input.attrs);
        let fields = fields_of(ctxt, input);
        let all = fields.into_iter().flat_map(Fields::iter);
        let mut idents = HashSet::new();
        let repeats_field = all.clone().any(|field| !idents.insert(&field.ident));
        let all = all.filter_map(|field| Column::from_field(ctxt, &input.ident, field, &options));
        let (skipped, mut columns): (Vec<_>, Vec<_>) = all.partition(|field| field.options.skip.is_set());
        columns.iter_mut().zip(0..).for_each(|(column, index)| column.index = index);
        if fields.is_some() && columns.is_empty() {
            ctxt.error(&input.ident, "a schema needs at least one column");
        }
        let description = description(&input.attrs);
        Schema {
            ident: &input.ident,
            generics: with_static_types(&input.generics),
            options,
            description,
            columns,
            skipped,
            repeats_field,
            names_differ: true,
        }
    }

    /// Returns whether all impls can be emitted in spite of the errors.
    pub fn is_sound(&self) -> bool {
        let borrows = self.generics.lifetimes().next().is_some();
        let is_unbound = self.generics.type_params().any(|parameter| self.is_unbound(parameter));
        let is_broken = self.repeats_field || self.columns.iter().chain(&self.skipped).any(|field| field.is_broken);
        !self.columns.is_empty() && !borrows && !is_unbound && !is_broken
    }

    /// Returns whether no impl of the struct compiles: it has no known size, which rustc reports.
    pub fn has_no_size(&self) -> bool {
        let has_no_size = |column: &Column| {
            // `flatten` on an `Option` has been reported.
            let ty = if column.is_flat() { column.item() } else { column.ty };
            types::is_unsized(column.ty) || types::is_itself(ty, self.ident)
        };
        self.columns.iter().any(has_no_size)
    }

    /// Returns whether a type parameter has no bounds, so that no column can have that type.
    pub fn is_unbound(&self, parameter: &TypeParam) -> bool {
        // The generated predicate only requires `'static`.
        generics::count_bounds(&self.generics, &parameter.ident) < 2
    }

    /// Returns whether the struct has type or `const` parameters.
    pub fn is_generic(&self) -> bool {
        !self.generics.params.is_empty()
    }

    /// Returns the type, with its parameters.
    pub fn ty(&self) -> TokenStream {
        let (_, arguments, _) = self.generics.split_for_impl();
        let ident = self.ident;
        quote!(#ident #arguments)
    }

    /// Returns an impl of one of the runtime's traits.
    pub fn impl_of(&self, name: TokenStream, body: TokenStream) -> TokenStream {
        let (parameters, _, bounds) = self.generics.split_for_impl();
        let (impl_token, row) = (option::impl_at(self.ident), self.ty());
        quote! {
            #[automatically_derived]
            #impl_token #parameters __pathway_io::#name for #row #bounds { #body }
        }
    }
}

impl<'a> Column<'a> {
    fn from_field(ctxt: &Ctxt, row: &Ident, field: &'a Field, of_struct: &StructOptions) -> Option<Self> {
        let ident = field.ident.as_ref()?;
        let mut options = ColumnOptions::from_attributes(ctxt, &field.attrs, &field.ty);
        let is_skipped = options.skip.is_set();
        let has_conflict = is_skipped && options.check_skipped(ctxt);
        if let (false, Some(default), false, false, false) = (
            is_skipped,
            of_struct.default.given(),
            options.default.is_set(),
            options.primary_key.is_set(),
            options.flatten.is_set(),
        ) {
            options.default.set(ctxt, &default.key, Some(Some(field_of_default(default, ident))));
        }
        if let Err(error) = field.modifiers.require_empty() {
            ctxt.syn_error(error);
        }
        if let Some((equals, value)) = &field.default {
            let help = format!("use `#[schema(default = {})]`", text(value));
            ctxt.error(quote!(#equals #value), format!("a column's default is an option\nhelp: {help}"));
        }
        let plain = ident.unraw().to_string();
        let name = match options.rename.get() {
            Some(name) => name.value(),
            None => of_struct.rename_all.get().map_or(plain.clone(), |case| case.apply(&plain)),
        };
        let description = description(&field.attrs);
        let mut column = Column { index: 0, ident, ty: &field.ty, options, name, description, is_broken: false };
        column.is_broken = has_conflict || !is_skipped && column.has_wrong_type(ctxt, row);
        Some(column)
    }

    /// Reports a type that is wrong by its spelling. Returns whether the type would cause a further error in an impl,
    /// also because an option is missing or cannot be combined with `flatten`.
    fn has_wrong_type(&self, ctxt: &Ctxt, row: &Ident) -> bool {
        let options = &self.options;
        let is_plain = options.conversions == 0 && !options.json.is_set();
        let borrows = column_type::check_owned(ctxt, self.ty, is_plain);
        let is_no_row = self.is_flat() && (!is_plain || column_type::check_flattened(ctxt, row, self.ty));
        let lacks_pair = options.conversions > 0 && self.is_stored_as_it_is();
        let lacks_flatten = options.prefix.is_set() && !self.is_flat() && !self.is_key();
        borrows || is_no_row || lacks_pair || lacks_flatten
    }

    pub fn is_key(&self) -> bool {
        self.options.primary_key.is_set()
    }

    pub fn is_flat(&self) -> bool {
        self.options.flatten.is_set()
    }

    /// Returns whether the value is stored as serde's JSON.
    pub fn is_json(&self) -> bool {
        self.options.json.is_set() && !self.is_flat() && !self.is_key()
    }

    /// Returns whether it is one column that has the field's type.
    pub fn is_stored_as_it_is(&self) -> bool {
        !self.is_flat() && !self.is_json() && self.conversion().is_none()
    }

    /// Returns the conversion of the value, if it is stored as another type. For an option that has been reported,
    /// returns `None`.
    pub fn conversion(&self) -> Option<Conversion<'_>> {
        let options = &self.options;
        if self.is_flat() || self.is_json() {
            return None;
        }
        match (options.with.get(), options.try_from.get(), options.into.get()) {
            (Some(module), _, _) => Some(Conversion::Module(module)),
            (None, Some(try_from), Some(into)) if text(try_from) == text(into) => Some(Conversion::Types { into }),
            _ => None,
        }
    }

    /// Returns the field's type or, for an `Option` whose item is stored in another form, the type of the item.
    pub fn item(&self) -> &Type {
        types::option_of(self.ty).unwrap_or(self.ty)
    }

    /// Returns the type that the column stores. A converted field is stored as another type than its own.
    pub fn data_type(&self, trust: Trust) -> DataType {
        let item = match self.conversion() {
            _ if self.is_json() => DataType::Plain("Value"),
            None => return spelling::of(self.ty, trust),
            Some(Conversion::Types { into }) => spelling::of(into, trust),
            Some(Conversion::Module(_)) => return DataType::Unknown,
        };
        if types::option_of(self.ty).is_some() { DataType::Optional(Box::new(item)) } else { item }
    }

    pub fn default(&self) -> Option<&Given<Option<Expr>>> {
        self.options.default.given()
    }

    /// Returns the name of the column, or of a flattened field.
    pub fn label(&self) -> String {
        if self.is_flat() { self.field() } else { self.name.clone() }
    }

    /// Returns the name of the field itself.
    pub fn field(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// Returns the text before the names of a flattened schema's columns.
    pub fn prefix(&self) -> String {
        self.options.prefix.get().map_or(String::new(), LitStr::value)
    }

    /// Returns where its name is written.
    pub fn name_span(&self) -> Span {
        self.options.rename.get().map_or(self.ident.span(), LitStr::span)
    }
}

fn with_static_types(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let names: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    let predicates = names.iter().map(|name| -> WherePredicate { parse_quote!(#name: 'static) });
    if !names.is_empty() {
        generics.make_where_clause().predicates.extend(predicates);
    }
    generics
}

/// Returns a field of the struct's default.
fn field_of_default(default: &Given<Option<Expr>>, ident: &Ident) -> Expr {
    let span = option::mixed_site_at(default.key.span());
    match &default.value {
        // Because of the type, a wrong value causes one error at the value, and not one at each field.
        Some(value) => parse_quote_spanned!(span=> { let __whole: Self = #value; __whole.#ident }),
        None => parse_quote_spanned!(span=> <Self as ::core::default::Default>::default().#ident),
    }
}

/// Returns the fields of a struct with named fields or none. Reports any other item.
fn fields_of<'a>(ctxt: &Ctxt, input: &'a DeriveInput) -> Option<&'a Fields> {
    let keyword = match &input.data {
        Data::Struct(DataStruct { fields: Fields::Unnamed(fields), .. }) => {
            let named = fields.unnamed.iter().enumerate();
            let named: Vec<String> = named.map(|(i, field)| format!("{}: {}", nth_name(i), text(&field.ty))).collect();
            let example = format!("`struct {} {{ {} }}`", input.ident, named.join(", "));
            let message = format!("`#[derive(Schema)]` needs named fields\nhelp: name each column: {example}");
            ctxt.error(fields, message);
            return None;
        }
        Data::Struct(data) => return Some(&data.fields),
        Data::Enum(data) => data.enum_token.span,
        Data::Union(data) => data.union_token.span,
    };
    ctxt.error_at(
        keyword,
        "`#[derive(Schema)]` can only be used on structs\n\
         help: a row has the same columns every time; put the variants in a column",
    );
    None
}

fn nth_name(i: usize) -> String {
    match i {
        0 => "key".to_owned(),
        1 => "value".to_owned(),
        _ => format!("column_{i}"),
    }
}
