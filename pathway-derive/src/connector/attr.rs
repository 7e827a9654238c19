//! The options of `#[connector(..)]`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Lit, LitStr, Path, Token, parse_quote};

use crate::ctxt::Ctxt;
use crate::duration;
use crate::option::{self, RawOption, Slot};

pub const OPTIONS: [&str; 6] = ["name", "autocommit", "eager", "backlog", "stop", "crate"];

/// A duration, or `off`.
pub enum Time {
    Off,
    Nanos(u64),
    /// An expression that rustc checks.
    Other(Expr),
}

#[derive(Default)]
pub struct Options {
    /// A string literal, or an expression that rustc checks.
    pub name: Slot<Expr>,
    pub autocommit: Slot<Time>,
    pub eager: Slot<()>,
    pub backlog: Slot<Expr>,
    /// The time that an `async fn run` has after a stop.
    pub stop: Slot<Time>,
    pub krate: Slot<Path>,
}

impl Options {
    pub fn parse(ctxt: &Ctxt, tokens: TokenStream) -> Self {
        let mut options = Options::default();
        for option in option::parse_list(ctxt, without_lone_text(ctxt, tokens)) {
            let key = &option.key;
            if let Some(value) = option.after_equals().filter(|value| has_self(value.to_token_stream())) {
                let help = format!("`Pipeline::read_with` sets the `{key}` of one source, in `ReadOptions`");
                ctxt.error(value, format!("an option belongs to the type, so it cannot use `self`\nhelp: {help}"));
                continue;
            }
            match option.name().as_str() {
                "name" => options.name.set(ctxt, key, parse_name(ctxt, &option)),
                "autocommit" => options.autocommit.set(ctxt, key, parse_time(ctxt, &option, true)),
                "stop" => options.stop.set(ctxt, key, parse_time(ctxt, &option, false)),
                "eager" => options.eager.set(ctxt, key, option::flag(ctxt, &option, "connector")),
                "backlog" => options.backlog.set(ctxt, key, option::expression(ctxt, &option, "10_000")),
                "crate" => options.krate.set(ctxt, key, option::path(ctxt, &option)),
                _ => option::unknown(ctxt, &option, "connector option", &OPTIONS),
            }
        }
        options
    }
}

/// Returns the options without a string literal in the place of the first option. The literal is probably the name.
fn without_lone_text(ctxt: &Ctxt, tokens: TokenStream) -> TokenStream {
    let lone_text = |input: ParseStream| {
        let text: LitStr = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok((text, input.parse()?))
    };
    let Ok((text, others)) = lone_text.parse2(tokens.clone()) else { return tokens };
    ctxt.error(&text, format!("expected the name of an option\nhelp: write `name = {}`", text.token()));
    others
}

fn parse_name(ctxt: &Ctxt, option: &RawOption) -> Option<Expr> {
    if let Some(expr) = option.after_equals().filter(|expr| is_for_rustc(expr)) {
        return Some(expr.clone());
    }
    let name = option::string(ctxt, option)?;
    if name.value().is_empty() {
        ctxt.error(&name, "a connector's name cannot be empty");
    }
    Some(parse_quote!(#name))
}

/// Returns whether the value `self` is in the expression; the module `self::` is not meant.
fn has_self(expr: TokenStream) -> bool {
    let mut tokens = expr.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_path = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
        match token {
            TokenTree::Ident(name) if name == "self" && !is_path => return true,
            TokenTree::Group(group) if has_self(group.stream()) => return true,
            _ => {}
        }
    }
    false
}

fn parse_time(ctxt: &Ctxt, option: &RawOption, or_off: bool) -> Option<Time> {
    let or_off_text = if or_off { ", or `off`" } else { "" };
    let expected = format!("expected a duration such as \"100ms\" or \"1.5s\"{or_off_text}");
    let Some(value) = option.value(ctxt) else {
        if !option.is_reported() {
            ctxt.error(&option.key, expected);
        }
        return None;
    };
    let time = match option::peel(&value) {
        Expr::Path(path) if or_off && path.path.is_ident("off") => Some(Time::Off),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => duration::parse(&text.value()).map(Time::Nanos),
        other if is_for_rustc(other) => Some(Time::Other(other.clone())),
        _ => None,
    };
    if time.is_none() && !option.is_reported() {
        let is_quoted =
            or_off && matches!(&value, Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "off");
        let help = if is_quoted { "\nhelp: write `off` without quotes" } else { "" };
        ctxt.error(value, expected + help);
    }
    time
}

/// Returns whether the value is an expression that rustc checks. A literal of another type is a mistake, and so is a
/// lone lower-case name, which is probably a string without its quotes.
fn is_for_rustc(expr: &Expr) -> bool {
    match option::peel(expr) {
        Expr::Lit(_) | Expr::Unary(_) => false,
        Expr::Path(path) => match path.path.get_ident() {
            Some(name) => name.to_string().chars().any(char::is_uppercase),
            None => true,
        },
        Expr::Verbatim(_) | Expr::Assign(_) | Expr::Infer(_) => false,
        _ => true,
    }
}
