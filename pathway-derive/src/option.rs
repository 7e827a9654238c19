//! The options inside `#[schema(..)]` and `#[connector(..)]`: a list of `key` and `key = value`.
//!
//! Each macro decides what a key means. This file contains the forms that options share (a flag, a string, a path) and
//! their errors.

use std::fmt::Display;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Data, DeriveInput, Expr, ExprLit, Ident, Lit, LitStr, Meta, MetaList, Path, Token, Type, token};

use crate::ctxt::Ctxt;
use crate::suggest;

/// One option as it is written.
pub struct RawOption {
    pub key: Ident,
    value: Option<Expr>,
    /// A group in parentheses after the key, which is an error.
    parens: Option<Group>,
}

impl RawOption {
    pub fn name(&self) -> String {
        self.key.unraw().to_string()
    }

    /// Returns the value. A value in parentheses is reported and still used.
    pub fn value(&self, ctxt: &Ctxt) -> Option<Expr> {
        self.value_or_help(ctxt, |value| value.to_token_stream().to_string())
    }

    /// Returns the value, if it follows a `=`.
    pub fn after_equals(&self) -> Option<&Expr> {
        self.value.as_ref()
    }

    /// Reads a value that `spell` converts to its spelling.
    fn value_or_help(&self, ctxt: &Ctxt, spell: impl Fn(&Expr) -> String) -> Option<Expr> {
        let Some(group) = &self.parens else { return self.value.clone() };
        let name = self.name();
        let value: Option<Expr> = syn::parse2(group.stream()).ok();
        let help = match &value {
            Some(value) => format!("{name} = {}", spell(value)),
            None if group.stream().is_empty() => name.clone(),
            None => format!("{name} = .."),
        };
        ctxt.error(group, format!("`{name}` takes no parentheses\nhelp: write `{help}`"));
        value
    }

    /// Returns whether the form of the value has been reported, so that a missing value is not reported as well.
    pub fn is_reported(&self) -> bool {
        self.parens.is_some()
    }
}

/// Parses a list of options. An option that cannot be parsed is reported and omitted.
pub fn parse_list(ctxt: &Ctxt, tokens: TokenStream) -> Vec<RawOption> {
    let mut options = Vec::new();
    let mut is_reported = false;
    let result = Parser::parse2(
        |input: ParseStream| {
            while !input.is_empty() {
                match parse_one(ctxt, input) {
                    Ok(option) => options.push(option),
                    Err(error) => {
                        ctxt.syn_error(error);
                        is_reported = true;
                        up_to_comma(input);
                    }
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        },
        tokens,
    );
    // After an error inside a group, syn also reports the rest of the group.
    if let Err(error) = result
        && !is_reported
    {
        ctxt.syn_error(error);
    }
    options
}

fn parse_one(ctxt: &Ctxt, input: ParseStream) -> syn::Result<RawOption> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected the name of an option"));
    }
    let mut key = input.call(Ident::parse_any)?;
    while input.peek(Token![-]) && input.peek2(Ident::peek_any) {
        input.parse::<Token![-]>()?;
        key = format_ident!("{key}_{}", input.call(Ident::parse_any)?, span = key.span());
        if !input.peek(Token![-]) {
            ctxt.error(&key, format!("the name of an option has no hyphen\nhelp: write `{key}`"));
        }
    }
    let name = key.unraw();
    let has_colon = input.peek(Token![:]) && !input.peek(Token![::]);
    if has_colon {
        ctxt.error(&key, format!("the value of an option follows `=`\nhelp: write `{name} = ..`"));
        input.parse::<Token![:]>()?;
    }
    let value = if has_colon || input.parse::<Option<Token![=]>>()?.is_some() {
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new_spanned(key, format!("expected a value after `{name} =`")));
        }
        let value = input.parse().map_err(|error| {
            // syn has no token for the end of the list, and would show the error at the macro.
            let is_at_end = error.to_string().starts_with("unexpected end of input");
            if is_at_end {
                syn::Error::new_spanned(&key, format!("the value of `{name}` is not finished"))
            } else {
                error
            }
        });
        Some(value?)
    } else {
        None
    };
    let parens = if value.is_none() && input.peek(token::Paren) { Some(input.parse()?) } else { None };
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(RawOption { key, value, parens });
    }
    Err(input.error(format!("expected `,` after the option `{name}`")))
}

/// Returns the tokens up to the next comma, which are skipped.
pub fn up_to_comma(input: ParseStream) -> TokenStream {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        match input.parse::<TokenTree>() {
            Ok(token) => tokens.extend([token]),
            Err(_) => break,
        }
    }
    tokens
}

/// Returns the options of all attributes with this name. `example` is the error for an attribute without a list.
pub fn parse_attributes(
    ctxt: &Ctxt,
    attributes: &[Attribute],
    name: &str,
    example: impl Fn() -> String,
) -> Vec<RawOption> {
    let mut options = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        match &attribute.meta {
            Meta::List(list) if !list.tokens.is_empty() => options.extend(parse_list(ctxt, list.tokens.clone())),
            _ => ctxt.error(attribute, example()),
        }
    }
    options
}

/// Reports an option that does not exist. `what` says whose option it is.
pub fn unknown(ctxt: &Ctxt, option: &RawOption, what: &str, known: &[&str]) {
    let name = option.name();
    let help = suggest::help(&name, known);
    ctxt.error(&option.key, format!("unknown {what} `{name}`\nhelp: {help}"));
}

/// An option's value and where the option is written.
pub struct Given<T> {
    pub key: Ident,
    pub value: T,
}

/// An option that may be given once.
pub struct Slot<T>(Option<Given<T>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Slot(None)
    }
}

impl<T> Slot<T> {
    /// Stores the value, or reports that the option was given before.
    pub fn set(&mut self, ctxt: &Ctxt, key: &Ident, value: Option<T>) {
        if let Some(first) = &self.0 {
            duplicate(ctxt, &first.key, key);
        } else if let Some(value) = value {
            self.0 = Some(Given { key: key.clone(), value });
        }
    }

    pub fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|given| &given.value)
    }

    pub fn given(&self) -> Option<&Given<T>> {
        self.0.as_ref()
    }

    pub fn key(&self) -> Option<&Ident> {
        self.0.as_ref().map(|given| &given.key)
    }

    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

fn duplicate(ctxt: &Ctxt, first: &Ident, second: &Ident) {
    let name = second.unraw();
    ctxt.error(second, format!("duplicate `{name}`"));
    ctxt.error(first, format!("first `{name}` here"));
}

/// Reads an option that takes no value. It counts as given even where a value follows it.
pub fn flag(ctxt: &Ctxt, option: &RawOption, attribute: &str) -> Option<()> {
    let value = option.value.as_ref().map(ToTokens::to_token_stream);
    if let Some(value) = value.or_else(|| option.parens.as_ref().map(ToTokens::to_token_stream)) {
        let name = option.name();
        ctxt.error(value, format!("`{name}` takes no value\nhelp: write `#[{attribute}({name})]`"));
    }
    Some(())
}

/// Reads an option that takes a string literal.
pub fn string(ctxt: &Ctxt, option: &RawOption) -> Option<LitStr> {
    let name = option.name();
    let value = option.value_or_help(ctxt, quoted);
    match value.as_ref().map(peel) {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if text.suffix().is_empty() => return Some(text.clone()),
        _ if option.is_reported() => {}
        Some(Expr::Array(list)) if name == "alias" => {
            let repeated: Vec<_> = list.elems.iter().map(|alias| format!("{name} = {}", quoted(alias))).collect();
            ctxt.error(&value, format!("expected a string\nhelp: repeat the option: `{}`", repeated.join(", ")));
        }
        Some(other) => ctxt.error(&value, format!("expected a string\nhelp: write `{name} = {}`", quoted(other))),
        None => ctxt.error(&option.key, format!("`{name}` needs a value\nhelp: write `{name} = \"..\"`")),
    }
    None
}

/// Reads an option that takes any expression.
pub fn expression(ctxt: &Ctxt, option: &RawOption, example: impl Display) -> Option<Expr> {
    let value = option.value(ctxt);
    if value.is_none() && !option.is_reported() {
        let name = option.name();
        ctxt.error(&option.key, format!("`{name}` needs a value\nhelp: write `{name} = {example}`"));
    }
    value
}

/// Reads `crate = path`. The path can also be in a string, as for serde. It is the path of a module, for a `use`.
pub fn path(ctxt: &Ctxt, option: &RawOption) -> Option<Path> {
    let value = option.value(ctxt);
    let value = value.as_ref().map(peel);
    let path = match value {
        Some(Expr::Path(path)) if path.qself.is_none() => Some(path.path.clone()),
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => text.parse_with(Path::parse_mod_style).ok(),
        _ => None,
    };
    let of_module = |path: &Path| path.segments.iter().all(|part| part.arguments.is_none() && part.ident != "Self");
    expected(ctxt, option, value, path.filter(of_module), "a path", "some::path")
}

/// Reads an option that takes a type, in a string or, if it is a path, as it is.
pub fn ty(ctxt: &Ctxt, option: &RawOption) -> Option<Type> {
    let value = option.value(ctxt);
    let value = value.as_ref().map(peel);
    let ty = match value {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => text.parse().ok(),
        Some(Expr::Path(path)) => syn::parse2(path.to_token_stream()).ok(),
        _ => None,
    };
    expected(ctxt, option, value, ty, "a type", "\"String\"")
}

/// Returns the value in the form in which it was read. Reports a value without that form.
fn expected<T>(
    ctxt: &Ctxt,
    option: &RawOption,
    value: Option<&Expr>,
    read: Option<T>,
    what: &str,
    example: &str,
) -> Option<T> {
    if read.is_none() && !option.is_reported() {
        let place = value.map_or_else(|| option.key.to_token_stream(), ToTokens::to_token_stream);
        ctxt.error(place, format!("expected {what}\nhelp: write `{} = {example}`", option.name()));
    }
    read
}

/// Returns the expression without the invisible groups that `macro_rules!` puts around `$e:expr`.
pub fn peel(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => peel(&group.expr),
        other => other,
    }
}

fn quoted(expr: &Expr) -> String {
    let text = match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        Expr::Lit(ExprLit { lit: Lit::Char(c), .. }) => c.value().to_string(),
        Expr::Lit(ExprLit { lit: Lit::ByteStr(bytes), .. }) => String::from_utf8_lossy(&bytes.value()).into_owned(),
        Expr::Path(_) | Expr::Lit(_) | Expr::Field(_) => expr.to_token_stream().to_string().replace(' ', ""),
        _ => "..".to_owned(),
    };
    format!("{text:?}")
}

/// Returns the name with another span.
pub fn ident_at(ident: &Ident, span: Span) -> Ident {
    Ident::new(&ident.to_string(), span)
}

/// Returns a span for generated tokens at a place in the user's code.
pub fn mixed_site_at(user: Span) -> Span {
    Span::mixed_site().located_at(user)
}

/// Returns the `impl` of an item that names the types of the user's item. For an unknown type, rustc suggests a new
/// parameter. With the span of the item's name, it makes the same suggestion as for the user's item, and shows equal
/// errors once.
pub fn impl_at(name: &Ident) -> Token![impl] {
    Token![impl](name.span())
}

/// Returns an item whose head and body have one span of the user's code, so that rustc reports errors of the whole
/// item there. `head` is at `span` already.
pub fn item_at(span: Span, head: TokenStream, body: TokenStream) -> TokenStream {
    let mut body = Group::new(Delimiter::Brace, body);
    body.set_span(span);
    quote!(#head #body)
}

/// Returns the attributes of the fields or variants.
pub fn inner_attributes(data: &Data) -> Vec<&Attribute> {
    match data {
        Data::Struct(data) => data.fields.iter().flat_map(|field| &field.attrs).collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.attrs).collect(),
        Data::Union(_) => Vec::new(),
    }
}

/// Returns the lint attributes for the output of a derive with that helper attribute: the lints that the user allows,
/// and two more. The output names items that may be deprecated, and uses a cfg of rust-analyzer that Cargo does not
/// know.
pub fn lint_attributes(input: &DeriveInput, helper: &str) -> TokenStream {
    let attributes: Vec<_> = input.attrs.iter().chain(inner_attributes(&input.data)).collect();
    let has = |name: &str| attributes.iter().any(|attribute| attribute.path().is_ident(name));
    let deprecated = has("deprecated").then(|| quote!(#[allow(deprecated)]));
    let cfg = has(helper).then(|| quote!(#[allow(unexpected_cfgs)]));
    let allowed = allowed_lints(attributes);
    quote!(#deprecated #cfg #allowed)
}

/// Returns the lints that the attributes allow or expect, for generated items, which repeat the user's names and types.
/// Lints about unused code are left out of `expect`: all that an item with `allow(dead_code)` names counts as used.
pub fn allowed_lints<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> TokenStream {
    let lists = attributes.into_iter().filter_map(|attribute| attribute.meta.require_list().ok());
    let lists = lists.filter(|list| {
        let is_about_use = || ["dead_code", "unused"].iter().any(|lint| list.tokens.to_string().contains(lint));
        list.path.is_ident("allow") || list.path.is_ident("expect") && !is_about_use()
    });
    lists.map(|MetaList { tokens, .. }| quote!(#[allow(#tokens)])).collect()
}

/// Returns the path of the runtime's crate; it is at the span unless the user wrote it.
pub fn crate_path(krate: Option<&Path>, span: Span) -> TokenStream {
    krate.map_or_else(|| quote_spanned!(span=> ::pathway_io), ToTokens::to_token_stream)
}

/// Returns the import of the runtime, under the name by which all generated code refers to it. In `quote_spanned!` the
/// name has the span of the user's tokens, and rustc shows an error about a path where its first token is.
pub fn runtime(krate: Option<&Path>) -> TokenStream {
    // If the path is that of another module, the error is at the path.
    let last = krate.and_then(|krate| krate.segments.last());
    let span = last.map_or_else(Span::call_site, |last| mixed_site_at(last.ident.span()));
    let krate = crate_path(krate, Span::call_site());
    quote_spanned!(span=> use #krate::__private0 as __pathway_io;)
}
