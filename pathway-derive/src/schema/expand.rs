//! The impls for a sound schema.
//!
//! A field's type stands in one impl, `Field<I>`, whose bound on the associated type gives the one error for a type that
//! is no column; everything else speaks of `Field<I>::Type` through functions of the runtime, and holds whatever the
//! type is. Bodies are what costs compile time: there are two per schema, and one per default.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprUnary, Ident, Lit, Type, UnOp};

use super::ast::{Column, Schema};
use super::dataflow;
use crate::{option, types};

pub fn expand(schema: &Schema) -> TokenStream {
    let (import, pw) = option::runtime(schema.options.krate.get());
    let fields = fields(schema, &pw);
    let body = schema_impl(schema, &pw);
    let keyed = keyed(schema, &pw);
    let removable = removable(schema, &pw);
    let data = data_column(schema, &pw);
    let dataflow = dataflow::expand(schema, &pw);
    quote! {
        const _: () = {
            #import
            #fields
            #body
            #keyed
            #removable
            #data
            #dataflow
        };
    }
}

/// The impls that hold the columns' types to what a column must be.
pub fn fields(schema: &Schema, pw: &Ident) -> TokenStream {
    let row = schema.ident;
    let mut impls = TokenStream::new();
    for (i, column) in schema.columns.iter().enumerate().filter(|(_, column)| !column.is_broken) {
        let ty = column.ty;
        if column.is_flat() {
            impls.extend(if column.is_key() {
                let key = inner_key(ty, pw);
                // glue at a user's type looks like the user's own to that lint
                quote! {
                    #[automatically_derived]
                    #[allow(unused_qualifications)]
                    impl #pw::FlatKeyField<#i> for #row { type Type = #ty; type Key = #key; }
                }
            } else {
                quote! {
                    #[automatically_derived]
                    impl #pw::FlatField<#i> for #row { type Type = #ty; }
                }
            });
            continue;
        }
        let default = column.default().map(|default| {
            let value = match &default.value {
                Some(value) => convert(value, ty, pw),
                None => {
                    let span = glue(default.key.span());
                    let pw = option::ident_at(pw, span);
                    quote_spanned!(span=> #pw::Default::default())
                }
            };
            make(pw, "DEFAULT", column, &value)
        });
        let example =
            column.options.example.get().map(|example| make(pw, "EXAMPLE", column, &convert(example, ty, pw)));
        let column_type = column_type(column, pw);
        // glue at a user's type looks like the user's own to that lint
        let allow = column.is_json().then(|| quote!(#[allow(unused_qualifications)]));
        impls.extend(quote! {
            #[automatically_derived]
            #allow
            impl #pw::Field<#i> for #row { type Type = #column_type; #default #example }
        });
        if column.is_key() {
            impls.extend(quote! {
                #[automatically_derived]
                impl #pw::KeyField<#i> for #row { type Type = #ty; }
            });
        }
    }
    impls
}

/// The key of a flattened row. All of it is at the user's type: errors of one text at one place are shown once.
fn inner_key(ty: &Type, pw: &Ident) -> TokenStream {
    let span = ty.span();
    let pw = option::ident_at(pw, span);
    quote_spanned!(span=> <#ty as #pw::Keyed>::Key)
}

/// The type of the column of a field: its own, but for what is taken as JSON.
fn column_type(column: &Column, pw: &Ident) -> TokenStream {
    let ty = column.ty;
    if !column.is_json() {
        return ty.to_token_stream();
    }
    let item = types::option_of(ty);
    let span = item.unwrap_or(ty).span();
    let at = option::ident_at(pw, span);
    match item {
        Some(item) => {
            let json = quote_spanned!(span=> #at::Json<#item>);
            let span = ty.span();
            let at = option::ident_at(pw, span);
            quote_spanned!(span=> #at::Option<#json>)
        }
        None => quote_spanned!(span=> #at::Json<#ty>),
    }
}

/// The value of a field as its column has it.
fn into_column(column: &Column, value: TokenStream, pw: &Ident) -> TokenStream {
    match (column.is_json(), types::option_of(column.ty)) {
        (false, _) => value,
        (true, Some(_)) => quote!(#pw::to_json_option(#value)),
        (true, None) => quote!(#pw::Json(#value)),
    }
}

/// The value of a field out of that of its column.
fn from_column(column: &Column, value: TokenStream, pw: &Ident) -> TokenStream {
    match (column.is_json(), types::option_of(column.ty)) {
        (false, _) => value,
        (true, Some(_)) => quote!(#pw::from_json_option(#value)),
        (true, None) => quote!(#pw::from_json(#value)),
    }
}

/// A constant with a function that makes a value. The `let` has rustc point from a wrong value to the field's type.
fn make(pw: &Ident, name: &str, column: &Column, value: &TokenStream) -> TokenStream {
    let name = Ident::new(name, Span::mixed_site());
    let ty = column.ty;
    let column_type = column_type(column, pw);
    let made = into_column(column, quote!(value), pw);
    quote! {
        const #name: #pw::Option<fn() -> #column_type> = #pw::Some(|| {
            let value: #ty = #value;
            #made
        });
    }
}

/// A literal where a `String` or an `Option` is wanted becomes one.
fn convert(value: &Expr, ty: &Type, pw: &Ident) -> TokenStream {
    let literal = match option::peel(value) {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match option::peel(expr) {
            Expr::Lit(ExprLit { lit, .. }) => Some(lit),
            _ => None,
        },
        _ => None,
    };
    let Some(literal) = literal else { return value.to_token_stream() };
    let span = glue(value.span());
    let pw = &option::ident_at(pw, span);
    if let Some(item) = types::option_of(ty) {
        let value = convert(value, item, pw);
        quote_spanned!(span=> #pw::Some(#value))
    } else if matches!(literal, Lit::Str(_)) && types::is_string(ty) {
        quote_spanned!(span=> #pw::String::from(#value))
    } else {
        value.to_token_stream()
    }
}

/// A span for tokens of ours that stand at the user's.
fn glue(user: Span) -> Span {
    Span::mixed_site().located_at(user)
}

/// The list of columns.
fn columns(schema: &Schema, pw: &Ident) -> TokenStream {
    let row = schema.ident;
    let describe = |range: &[(usize, &Column)]| {
        range.iter().map(|(i, column)| column_description(row, *i, column, pw)).collect::<TokenStream>()
    };
    let all: Vec<(usize, &Column)> = schema.columns.iter().enumerate().collect();
    if !schema.columns.iter().any(Column::is_flat) {
        let columns = describe(&all);
        return quote!(&[#columns]);
    }
    let mut width = 0usize;
    let mut flat_widths = TokenStream::new();
    let mut runs = TokenStream::new();
    let mut checks = TokenStream::new();
    let mut keyless = TokenStream::new();
    let chunks = all.chunk_by(|(_, a), (_, b)| !a.is_flat() && !b.is_flat());
    for (run, chunk) in chunks.enumerate() {
        match chunk {
            [(i, column)] if column.is_flat() => {
                let (field, keyed) = (column.ident.unraw().to_string(), column.is_key());
                let columns = if keyed { quote!(flat_key_columns) } else { quote!(flat_columns) };
                let columns = quote!(#pw::#columns::<#row, #i>());
                flat_widths.extend(quote!(+ #columns.len()));
                runs.extend(quote!(#pw::Run { field: #pw::Some(#field), columns: #columns, keyed: #keyed },));
                if !keyed {
                    let span = glue(column.ident.span());
                    let pw = option::ident_at(pw, span);
                    keyless.extend(quote_spanned!(span=> const _: () = #pw::assert_keyless(#field, #columns);));
                }
                checks.extend(distinct(column, run, 0, usize::MAX, pw));
            }
            plain => {
                width += plain.len();
                let columns = describe(plain);
                runs.extend(quote!(#pw::Run { field: #pw::None, columns: &[#columns], keyed: true },));
                for (at, (_, column)) in plain.iter().enumerate() {
                    checks.extend(distinct(column, run, at, at + 1, pw));
                }
            }
        }
    }
    let checks = schema.names_differ.then_some(checks);
    quote!({
        const RUNS: &[#pw::Run] = &[#runs];
        const COLUMNS: &[#pw::Column] = &#pw::concat_columns::<{ #width #flat_widths }>(RUNS);
        #keyless
        #checks
        COLUMNS
    })
}

/// What fails if a name of these columns of a run is taken by one before it.
fn distinct(column: &Column, run: usize, from: usize, to: usize, pw: &Ident) -> Option<TokenStream> {
    let span = glue(column.name_span());
    let pw = option::ident_at(pw, span);
    (run > 0).then(|| quote_spanned!(span=> const _: () = #pw::assert_distinct(RUNS, #run, #from, #to);))
}

fn column_description(row: &Ident, i: usize, column: &Column, pw: &Ident) -> TokenStream {
    let name = &column.name;
    let key = column.is_key().then(|| quote!(.key()));
    let describe = (!column.description.is_empty()).then(|| {
        let text = &column.description;
        quote!(.describe(#text))
    });
    let aliases = (!column.options.aliases.is_empty()).then(|| {
        let aliases = &column.options.aliases;
        quote!(.aliases(&[#(#aliases),*]))
    });
    let field = column.ident.unraw().to_string();
    let field = (field != *name).then(|| quote!(.field(#field)));
    quote!(#pw::Column::of::<#row, #i>(#name) #key #describe #aliases #field,)
}

fn schema_impl(schema: &Schema, pw: &Ident) -> TokenStream {
    let row = schema.ident;
    let name = row.unraw().to_string();
    let tree = tree(&schema.columns, 0, pw, &|i, column| {
        let leaf = match (column.is_flat(), column.is_key()) {
            (false, _) => quote!(Col),
            (true, false) => quote!(Flat),
            (true, true) => quote!(FlatKey),
        };
        quote!(#pw::#leaf<#row, #i>)
    });
    let columns = columns(schema, pw);
    let describe = (!schema.description.is_empty()).then(|| {
        let text = &schema.description;
        quote!(.describe(#text))
    });
    let append_only = schema.options.append_only.is_set().then(|| quote!(.append_only()));
    let deny_unknown = schema.options.deny_unknown.is_set().then(|| quote!(.deny_unknown()));
    let take = values(&schema.columns, 0, pw, &|_, column| {
        let ident = column.ident;
        into_column(column, quote!(self.#ident), pw)
    });
    let bind = values(&schema.columns, 0, pw, &|i, _| local(i).to_token_stream());
    let idents = schema.columns.iter().map(|column| column.ident);
    let locals =
        schema.columns.iter().enumerate().map(|(i, column)| from_column(column, local(i).to_token_stream(), pw));
    quote! {
        #[automatically_derived]
        impl #pw::Schema for #row {
            type Fields = #tree;
            const SCHEMA: &'static #pw::TableSchema =
                &#pw::TableSchema::new(#name, #columns) #describe #append_only #deny_unknown;
            fn into_fields(self) -> <Self::Fields as #pw::Fields>::Row {
                #take
            }
            fn from_fields(fields: <Self::Fields as #pw::Fields>::Row) -> Self {
                let #bind = fields;
                Self { #(#idents: #locals),* }
            }
        }
    }
}

fn local(i: usize) -> Ident {
    format_ident!("field_{}", i, span = Span::mixed_site())
}

fn keyed(schema: &Schema, pw: &Ident) -> Option<TokenStream> {
    let row = schema.ident;
    let keys: Vec<(usize, &Column)> = schema.columns.iter().enumerate().filter(|(_, c)| c.is_key()).collect();
    if keys.is_empty() {
        return None;
    }
    let types = keys.iter().map(|(_, column)| {
        let ty = column.ty;
        if column.is_flat() { inner_key(ty, pw) } else { ty.to_token_stream() }
    });
    let this = Ident::new("self", Span::mixed_site());
    let copies = keys.iter().map(|(i, column)| {
        let ident = column.ident;
        if column.is_flat() {
            let span = column.ty.span();
            let pw = option::ident_at(pw, span);
            quote_spanned!(span=> #pw::flat_key::<#row, #i>(&#this.#ident))
        } else {
            quote!(#pw::key::<#row, #i>(&#this.#ident))
        }
    });
    let parts = keys.iter().map(|(i, _)| local(*i));
    let partial = values(&schema.columns, 0, pw, &|i, column| {
        let local = local(i);
        match (column.is_flat(), column.is_key()) {
            (false, true) => quote!(#pw::Some(#local)),
            (false, false) => quote!(#pw::None),
            (true, true) => quote!(#local),
            (true, false) => quote!(()),
        }
    });
    let (key_type, key, pattern) = if keys.len() == 1 {
        (quote!(#(#types)*), quote!(#(#copies)*), quote!(#(#parts)*))
    } else {
        (quote!((#(#types),*)), quote!((#(#copies),*)), quote!((#(#parts),*)))
    };
    let span = keys.iter().find(|(_, column)| column.is_flat()).map_or_else(Span::mixed_site, |(_, c)| c.ty.span());
    let at = option::ident_at(pw, span);
    let own_key = quote_spanned!(span=> <Self as #at::Keyed>::Key);
    let own_partial = quote_spanned!(span=> <<Self as #at::Schema>::Fields as #at::Fields>::Partial);
    // glue at a user's type looks like the user's own to that lint
    let has_flat = keys.iter().any(|(_, column)| column.is_flat());
    let allow = has_flat.then(|| quote!(#[allow(unused_qualifications)]));
    // names are hygienic, so the bodies must have the very same
    let given = Ident::new("key", Span::mixed_site());
    let key_method = option::item_at(span, quote_spanned!(span=> fn key(&#this) -> #own_key), key);
    let tombstone_head = quote_spanned!(span=> fn tombstone(#given: #own_key) -> #own_partial);
    let tombstone_method = option::item_at(span, tombstone_head, quote!(let #pattern = #given; #partial));
    let head = quote_spanned!(span=> impl #at::Keyed for #row);
    let body = quote! {
        type Key = #key_type;
        #key_method
        #tombstone_method
    };
    let keyed_impl = option::item_at(span, head, body);
    Some(quote! {
        #[automatically_derived]
        #allow
        #keyed_impl
    })
}

fn removable(schema: &Schema, pw: &Ident) -> Option<TokenStream> {
    let row = schema.ident;
    // without a key, that is what is missing
    (!schema.options.append_only.is_set() || !schema.columns.iter().any(Column::is_key)).then(|| {
        quote! {
            #[automatically_derived]
            impl #pw::Removable for #row {}
        }
    })
}

/// Where every column but `data` can be left out, a row can be made of that one.
fn data_column(schema: &Schema, pw: &Ident) -> Option<TokenStream> {
    let row = schema.ident;
    let data = data_of(schema)?;
    let values = schema.columns.iter().enumerate().map(|(i, column)| {
        let ident = column.ident;
        if column.name == "data" {
            return quote!(#ident: data);
        }
        let missing = from_column(column, quote!(#pw::missing::<#row, #i>()), pw);
        quote!(#ident: #missing)
    });
    let ty = data.ty;
    Some(quote! {
        #[automatically_derived]
        impl #pw::DataColumn<#ty> for #row {
            fn from_data(data: #ty) -> Self {
                Self { #(#values),* }
            }
        }
    })
}

/// The `data` column, if it is the only one that has to be given.
pub fn data_of<'s, 'a>(schema: &'s Schema<'a>) -> Option<&'s Column<'a>> {
    let (data, others): (Vec<&Column>, Vec<&Column>) =
        schema.columns.iter().partition(|column| column.name == "data" && !column.is_flat() && !column.is_json());
    let can_be_left_out =
        |column: &&Column| !column.is_flat() && (column.default().is_some() || types::option_of(column.ty).is_some());
    match data.as_slice() {
        [data] if others.iter().all(can_be_left_out) => Some(data),
        _ => None,
    }
}

/// The columns as a balanced tree of types.
fn tree(columns: &[Column], first: usize, pw: &Ident, leaf: &dyn Fn(usize, &Column) -> TokenStream) -> TokenStream {
    halves(columns, first, leaf, &|left, right| quote!(#pw::Pair<#left, #right>))
}

/// The columns as a balanced tree of values or patterns.
pub fn values(
    columns: &[Column],
    first: usize,
    pw: &Ident,
    leaf: &dyn Fn(usize, &Column) -> TokenStream,
) -> TokenStream {
    halves(columns, first, leaf, &|left, right| quote!(#pw::Pair(#left, #right)))
}

fn halves(
    columns: &[Column],
    first: usize,
    leaf: &dyn Fn(usize, &Column) -> TokenStream,
    pair: &dyn Fn(TokenStream, TokenStream) -> TokenStream,
) -> TokenStream {
    match columns {
        [] => TokenStream::new(),
        [column] => leaf(first, column),
        _ => {
            let (left, right) = columns.split_at(columns.len() / 2);
            let middle = first + left.len();
            pair(halves(left, first, leaf, pair), halves(right, middle, leaf, pair))
        }
    }
}
