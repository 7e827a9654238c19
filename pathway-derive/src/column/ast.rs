//! The model of a column type, and its rules.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DataEnum, DataStruct, DeriveInput, Fields, Generics, Ident, LitStr, Path, Type};

use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::option::{self, RawOption, Slot};
use crate::{schema, types};

pub const TYPE_OPTIONS: [&str; 2] = ["rename_all", "crate"];
pub const VARIANT_OPTIONS: [&str; 3] = ["rename", "alias", "other"];

/// A type that derives `ColumnType`.
pub struct DerivedType<'a> {
    pub ident: &'a Ident,
    pub generics: &'a Generics,
    pub krate: Slot<Path>,
    /// The lints that the impls are exempt from.
    pub allow: TokenStream,
    pub kind: TypeKind<'a>,
}

pub enum TypeKind<'a> {
    Enum(Vec<Variant<'a>>),
    Newtype(&'a Type),
    /// Neither of the two. The error has been reported.
    Broken,
}

pub struct Variant<'a> {
    pub ident: &'a Ident,
    /// The variant's text in JSON and in every output.
    pub text: String,
    /// Further strings that are read as this variant.
    pub aliases: Vec<LitStr>,
    /// Whether every text that belongs to no other variant is read as this one.
    pub is_other: bool,
}

impl<'a> DerivedType<'a> {
    pub fn from_input(ctxt: &Ctxt, input: &'a DeriveInput) -> Self {
        misplaced(ctxt, input);
        let mut rename_all = Slot::default();
        let mut krate = Slot::default();
        for option in options_of(ctxt, &input.attrs) {
            let key = &option.key;
            match option.name().as_str() {
                "rename_all" => rename_all.set(ctxt, key, schema::attr::case(ctxt, &option)),
                "crate" => krate.set(ctxt, key, option::path(ctxt, &option)),
                name if VARIANT_OPTIONS.contains(&name) => {
                    ctxt.error(key, format!("`{name}` belongs on a variant, not on the type"));
                }
                _ => option::unknown(ctxt, &option, "option", &TYPE_OPTIONS),
            }
        }
        let is_generic = !input.generics.params.is_empty();
        if is_generic {
            let help = if input.generics.lifetimes().next().is_some() {
                "own the value, as a `String` for a `&str`"
            } else {
                "`#[schema(with = \"module\")]` on the column stores a field of a generic type"
            };
            ctxt.error(&input.generics.params, format!("a column type cannot be generic\nhelp: {help}"));
        }
        let kind = match &input.data {
            Data::Enum(data) => variants(ctxt, input, data, rename_all.get().copied()),
            // A second field is often the `PhantomData` of the parameter.
            Data::Struct(_) if is_generic => TypeKind::Broken,
            Data::Struct(data) => {
                if let Some(key) = rename_all.key() {
                    ctxt.error(key, "`rename_all` is for the variants of an enum");
                }
                newtype(ctxt, input, data)
            }
            Data::Union(data) => {
                ctxt.error(data.union_token, "`#[derive(ColumnType)]` can only be used on enums and newtypes");
                TypeKind::Broken
            }
        };
        let kind = if is_generic { TypeKind::Broken } else { kind };
        let allow = option::lint_attributes(input, "column");
        DerivedType { ident: &input.ident, generics: &input.generics, krate, allow, kind }
    }
}

fn variants<'a>(ctxt: &Ctxt, input: &DeriveInput, data: &'a DataEnum, case: Option<Case>) -> TypeKind<'a> {
    let mut variants = Vec::new();
    let mut other = Slot::default();
    let (mut names, mut other_names) = (Vec::new(), Vec::new());
    let mut idents = HashSet::new();
    let with_fields = data.variants.iter().find(|variant| !variant.fields.is_empty());
    if let Some(variant) = with_fields {
        let name = &input.ident;
        ctxt.error(
            &variant.fields,
            format!(
                "a variant of a column cannot have fields\n\
                 help: store `{name}` as JSON: derive `serde::Serialize` and `serde::Deserialize` for it, not `ColumnType`, and write the column as\n    \
                 #[schema(json)]\n    column: {name},"
            ),
        );
    }
    for variant in &data.variants {
        let mut rename: Slot<LitStr> = Slot::default();
        let mut aliases = Vec::new();
        let mut is_other = false;
        for option in options_of(ctxt, &variant.attrs) {
            let key = &option.key;
            match option.name().as_str() {
                "rename" => rename.set(ctxt, key, option::string(ctxt, &option)),
                "alias" => aliases.extend(option::string(ctxt, &option)),
                "other" => {
                    is_other = true;
                    other.set(ctxt, key, option::flag(ctxt, &option, "column"));
                }
                name if TYPE_OPTIONS.contains(&name) => {
                    ctxt.error(key, format!("`{name}` belongs on the type, not on a variant"));
                }
                _ => option::unknown(ctxt, &option, "option", &VARIANT_OPTIONS),
            }
        }
        let plain = variant.ident.unraw().to_string();
        let text = match rename.get() {
            Some(text) => text.value(),
            None => case.map_or(plain.clone(), |case| case.apply_to_variant(&plain)),
        };
        // rustc reports a second variant of the same name.
        if !idents.insert(&variant.ident) {
            continue;
        }
        names.push(("variant", text.clone(), rename.get().map_or(variant.ident.span(), LitStr::span)));
        other_names.extend(aliases.iter().map(|alias: &LitStr| ("text", alias.value(), alias.span())));
        variants.push(Variant { ident: &variant.ident, text, aliases, is_other });
    }
    // If a name and an alias clash, the error is at the alias.
    ctxt.all_differ(names.into_iter().chain(other_names));
    if variants.is_empty() {
        ctxt.error(&input.ident, "a column needs at least one variant");
    }
    // A variant's position is stored in 16 bits.
    let too_many = u16::try_from(variants.len()).is_err();
    if too_many {
        ctxt.error(&input.ident, "a column can have at most 65535 variants");
    }
    let is_repeated = variants.len() < data.variants.len();
    if with_fields.is_some() || variants.is_empty() || too_many || is_repeated {
        TypeKind::Broken
    } else {
        TypeKind::Enum(variants)
    }
}

fn newtype<'a>(ctxt: &Ctxt, input: &DeriveInput, data: &'a DataStruct) -> TypeKind<'a> {
    if let Fields::Unnamed(fields) = &data.fields
        && let Some(field) = fields.unnamed.first()
        && fields.unnamed.len() == 1
    {
        for option in options_of(ctxt, &field.attrs) {
            ctxt.error(&option.key, "the field of a newtype has no options");
        }
        let borrows = schema::column_type::check_owned(ctxt, &field.ty, true);
        let itself = [&input.ident, &format_ident!("Self")];
        let is_recursive = itself.into_iter().any(|name| types::mentions(&field.ty, name));
        if is_recursive {
            let help = format!("`#[schema(json)]` stores a `{}` as JSON", input.ident);
            ctxt.error(&field.ty, format!("a column type cannot contain itself\nhelp: {help}"));
        }
        return if !borrows && !is_recursive { TypeKind::Newtype(&field.ty) } else { TypeKind::Broken };
    }
    let message = "`#[derive(ColumnType)]` needs a struct with one unnamed field, or an enum";
    let help = match data.fields.iter().collect::<Vec<_>>()[..] {
        [] => format!("write `struct {}(String);` with the type that it holds", input.ident),
        [field] => format!("write `struct {}({});`", input.ident, types::text(&field.ty)),
        _ => "`#[schema(flatten)]` makes a column of each field of a schema, `#[schema(json)]` one of all".to_owned(),
    };
    if data.fields.is_empty() {
        ctxt.error(&input.ident, format!("{message}\nhelp: {help}"));
    } else {
        ctxt.error(&data.fields, format!("{message}\nhelp: {help}"));
    }
    TypeKind::Broken
}

fn options_of(ctxt: &Ctxt, attributes: &[Attribute]) -> Vec<RawOption> {
    option::parse_attributes(ctxt, attributes, "column", || {
        "expected options, as in `#[column(rename = \"..\")]`".to_owned()
    })
}

/// Reports `#[schema(..)]`, which this derive would ignore.
fn misplaced(ctxt: &Ctxt, input: &DeriveInput) {
    let inner = option::inner_attributes(&input.data);
    for attribute in input.attrs.iter().chain(inner).filter(|attribute| attribute.path().is_ident("schema")) {
        let options = attribute.meta.require_list().map_or_else(|_| "..".to_owned(), |list| types::text(&list.tokens));
        ctxt.error(
            attribute.path(),
            format!(
                "the options of `#[derive(ColumnType)]` are in `#[column(..)]`\nhelp: write `#[column({options})]`"
            ),
        );
    }
}
