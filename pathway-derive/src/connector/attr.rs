//! The options of `#[connector(..)]`.

use proc_macro2::TokenStream;
use syn::{Expr, ExprLit, Lit, LitStr, Path};

use crate::ctxt::Ctxt;
use crate::option::{self, RawOption, Slot};
use crate::{duration, suggest};

const OPTIONS: [&str; 5] = ["name", "autocommit", "eager", "backlog", "crate"];

#[derive(Default)]
pub struct Options {
    pub name: Slot<LitStr>,
    /// In nanoseconds; `None` inside is off.
    pub autocommit: Slot<Option<u64>>,
    pub eager: Slot<()>,
    pub backlog: Slot<Expr>,
    pub krate: Slot<Path>,
}

impl Options {
    pub fn parse(ctxt: &Ctxt, tokens: TokenStream) -> Self {
        let mut options = Options::default();
        for option in option::parse_list(ctxt, tokens) {
            let key = &option.key;
            match option.name().as_str() {
                "name" => options.name.set(ctxt, key, name(ctxt, &option)),
                "autocommit" => options.autocommit.set(ctxt, key, autocommit(ctxt, &option)),
                "eager" => options.eager.set(ctxt, key, option::flag(ctxt, &option, "connector")),
                "backlog" => {
                    options.backlog.set(ctxt, key, option::expression(ctxt, &option, "10_000"));
                }
                "crate" => options.krate.set(ctxt, key, option::path(ctxt, &option)),
                name => ctxt
                    .error(key, format!("unknown connector option `{name}`\nhelp: {}", suggest::help(name, &OPTIONS))),
            }
        }
        options
    }
}

fn name(ctxt: &Ctxt, option: &RawOption) -> Option<LitStr> {
    let name = option::string(ctxt, option)?;
    if name.value().is_empty() {
        ctxt.error(&name, "a connector's name cannot be empty");
    }
    Some(name)
}

fn autocommit(ctxt: &Ctxt, option: &RawOption) -> Option<Option<u64>> {
    let expected = "expected a duration such as \"100ms\" or \"1.5s\", or `off`";
    let Some(value) = option.value(ctxt) else {
        if !option.is_reported() {
            ctxt.error(&option.key, expected);
        }
        return None;
    };
    let interval = match option::peel(&value) {
        Expr::Path(path) if path.path.is_ident("off") => Some(None),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => duration::parse(&text.value()).map(Some),
        _ => None,
    };
    if interval.is_none() && !option.is_reported() {
        ctxt.error(value, expected);
    }
    interval
}
