//! The item of a derive, which is read even if a field or variant is not finished.
//!
//! rustc reports the unfinished parts itself, because the item stays in the program.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DataEnum, DataStruct, DeriveInput, Field, Fields, FieldsNamed, Generics, Ident, Token, Variant,
    Visibility, braced,
};

use crate::option;

/// Expands the item.
pub fn derive(tokens: TokenStream, expand: impl Fn(&DeriveInput) -> TokenStream) -> TokenStream {
    match syn::parse2(tokens.clone()).or_else(|error| unfinished.parse2(tokens).map_err(|_| error)) {
        Ok(input) => expand(&input),
        Err(error) => error.to_compile_error(),
    }
}

fn unfinished(input: ParseStream) -> syn::Result<DeriveInput> {
    let (attrs, vis) = (input.call(Attribute::parse_outer)?, input.parse()?);
    let enum_token: Option<Token![enum]> = input.parse()?;
    let struct_token: Option<Token![struct]> = input.parse()?;
    let (ident, mut generics): (Ident, Generics) = (input.parse()?, input.parse()?);
    generics.where_clause = input.parse()?;
    let content;
    let brace_token = braced!(content in input);
    let data = match enum_token {
        Some(enum_token) => {
            let variants = list(&content, Variant::parse, quote!());
            Data::Enum(DataEnum { enum_token, brace_token, variants })
        }
        None => {
            let fields =
                Fields::Named(FieldsNamed { brace_token, named: list(&content, Field::parse_named, quote!(: _)) });
            Data::Struct(DataStruct { struct_token: struct_token.unwrap_or_default(), fields, semi_token: None })
        }
    };
    Ok(DeriveInput { attrs, vis, ident, generics, data })
}

/// Parses fields or variants. One that is not finished has only its name, and a `_` as its type, which the macros do
/// not use.
fn list<T>(input: ParseStream, parse: fn(ParseStream) -> syn::Result<T>, ty: TokenStream) -> Punctuated<T, Token![,]> {
    let mut items = Punctuated::new();
    while !input.is_empty() {
        let ahead = input.fork();
        match parse(&ahead) {
            Ok(item) if is_end(&ahead) => {
                input.advance_to(&ahead);
                items.push(item);
            }
            _ => match name(&input.fork()) {
                Ok(name) => {
                    items.extend(parse.parse2(quote!(#name #ty)));
                    option::up_to_comma(input);
                }
                Err(_) => {
                    let _ = input.parse::<TokenTree>();
                }
            },
        }
        if input.peek(Token![,]) || input.peek(Token![;]) {
            let _ = input.parse::<TokenTree>();
        }
    }
    items
}

/// Returns whether a field or variant can end here, perhaps without its comma.
fn is_end(input: ParseStream) -> bool {
    input.is_empty()
        || input.peek(Token![,])
        || input.peek(Token![;])
        || input.peek(Token![#])
        || input.peek(Ident::peek_any)
}

/// Parses the tokens before the type of a field.
fn name(input: ParseStream) -> syn::Result<TokenStream> {
    let (attrs, vis): (_, Visibility) = (input.call(Attribute::parse_outer)?, input.parse()?);
    let ident: Ident = input.parse()?;
    Ok(quote!(#(#attrs)* #vis #ident))
}
