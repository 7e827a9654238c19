//! Parses the tokens of the call: a subject and a row. All mistakes in the row are reported together.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, ExprAssign, ExprPath, Ident, LitStr, Token, token};

use super::call::{Call, Field, FieldValue, Row};
use crate::ctxt::Ctxt;
use crate::option::up_to_comma;
use crate::types::text;

pub fn parse(ctxt: &Ctxt, input: ParseStream) -> Option<Call> {
    let example = "help: write `next!(cats, Cat { key: 1, .. })`";
    if input.is_empty() {
        ctxt.error_at(Span::call_site(), format!("expected a subject and a row\n{example}"));
        return None;
    }
    let subject: Expr = match input.parse() {
        Ok(subject) => subject,
        Err(error) => {
            ctxt.syn_error(error);
            return None;
        }
    };
    let ahead = input.fork();
    skip_comma(&ahead);
    if matches!(subject, Expr::Struct(_)) && !is_literal(&ahead) {
        ctxt.error(subject, format!("expected a subject before the row\n{example}"));
        return None;
    }
    let mut call = Call { subject, row: None };
    if !input.is_empty() && !input.peek(Token![,]) {
        ctxt.error_at(input.span(), format!("expected `,` after the subject\n{example}"));
        return Some(call);
    }
    skip_comma(input);
    if input.is_empty() {
        ctxt.error(&call.subject, format!("expected a row after the subject\n{example}"));
    } else if is_literal(input) {
        call.row = parse_literal(ctxt, input);
        skip_comma(input);
        if !input.is_empty() {
            ctxt.error_at(input.span(), "expected nothing after the row");
        }
    } else {
        let wrong = up_to_comma(input);
        let subject = text(&call.subject);
        let mut help = format!("name the schema and its columns: `next!({subject}, Cat {{ key: 1, .. }})`");
        if input.is_empty() {
            help += &format!("; to push a complete row, call `{subject}.next(row)`");
        }
        ctxt.error(wrong, format!("expected `column: value`\nhelp: {help}"));
    }
    Some(call)
}

/// Skips a comma, if one is next.
fn skip_comma(input: ParseStream) {
    let _ = input.parse::<Token![,]>();
}

/// Returns whether a path and braces come next.
fn is_literal(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.parse::<ExprPath>().is_ok() && ahead.peek(token::Brace)
}

/// Returns whether the tokens up to the next comma are a path and braces.
pub fn is_whole_literal(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.parse::<ExprPath>().is_ok()
        && ahead.peek(token::Brace)
        && ahead.parse::<Group>().is_ok()
        && (ahead.is_empty() || ahead.peek(Token![,]))
}

fn parse_literal(ctxt: &Ctxt, input: ParseStream) -> Option<Row> {
    let parsed = (|| {
        let path: ExprPath = input.parse()?;
        let content;
        let brace = syn::braced!(content in input);
        let mut row = Row { path, brace, fields: Vec::new(), rest: None };
        parse_fields(ctxt, &content, &mut row);
        // The error in the remaining tokens has been reported.
        content.parse::<TokenStream>()?;
        Ok(row)
    })();
    parsed.map_err(|error| ctxt.syn_error(error)).ok()
}

fn parse_fields(ctxt: &Ctxt, input: ParseStream, row: &mut Row) {
    while !input.is_empty() {
        match parse_field(ctxt, input, row) {
            Ok(()) if !input.is_empty() && !input.peek(Token![,]) => {
                ctxt.error_at(input.span(), "expected `,` between columns");
                up_to_comma(input);
            }
            Ok(()) => {}
            Err(error) => {
                ctxt.syn_error(error);
                up_to_comma(input);
            }
        }
        if input.peek(Token![,]) {
            if row.rest.is_some() {
                ctxt.error_at(input.span(), "`..` must be the last, without a comma after it");
                return;
            }
            skip_comma(input);
        }
    }
}

/// Reads a name. A keyword is reported.
fn parse_column_name(ctxt: &Ctxt, input: ParseStream) -> syn::Result<Ident> {
    if !input.peek(Ident) {
        let word = input.fork().call(Ident::parse_any)?;
        ctxt.error(&word, format!("`{word}` is a keyword\nhelp: write `r#{word}`"));
    }
    input.call(Ident::parse_any)
}

fn parse_field(ctxt: &Ctxt, input: ParseStream, row: &mut Row) -> syn::Result<()> {
    let attributes = input.call(Attribute::parse_outer)?;
    if input.peek(Token![..]) && !input.peek(Token![..=]) {
        let dots = input.parse()?;
        let base = if input.is_empty() || input.peek(Token![,]) { None } else { Some(input.parse()?) };
        row.rest = Some((dots, base));
        return Ok(());
    }
    let is_name = input.peek(Ident::peek_any);
    if is_name && input.peek2(Token![:]) && !input.peek2(Token![::]) {
        let name = parse_column_name(ctxt, input)?;
        let colon: Token![:] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(colon.span, format!("expected a value after `{name}:`")));
        }
        let value = if is_whole_literal(input) {
            match parse_literal(ctxt, input) {
                Some(row) => FieldValue::Nested(row),
                None => return Ok(()),
            }
        } else if let Some(message) = unnamed_row(input, &name) {
            ctxt.error(up_to_comma(input), message);
            return Ok(());
        } else {
            FieldValue::Plain(input.parse()?)
        };
        row.fields.push(Field { attributes, name, value });
        return Ok(());
    }
    if is_name {
        let ahead = input.fork();
        ahead.call(Ident::parse_any)?;
        if ahead.is_empty() || ahead.peek(Token![,]) {
            let name = parse_column_name(ctxt, input)?;
            let path = ExprPath { attrs: Vec::new(), qself: None, path: name.clone().into() };
            let value = FieldValue::Plain(Expr::Path(path));
            row.fields.push(Field { attributes, name, value });
            return Ok(());
        }
    }
    let wrong = up_to_comma(input);
    let help = match corrected(&wrong) {
        Some((name, value)) => format!("\nhelp: write `{name}: {value}`"),
        None => String::new(),
    };
    ctxt.error(wrong, format!("expected `column: value`{help}"));
    Ok(())
}

/// Returns the error for a nested row without the name of its type, such as `{ city: "rome" }`.
fn unnamed_row(input: ParseStream, column: &Ident) -> Option<String> {
    let group: Group = input.fork().parse().ok().filter(|group: &Group| group.delimiter() == Delimiter::Brace)?;
    let mut tokens = group.stream().into_iter();
    match (tokens.next()?, tokens.next()?) {
        // The first half of a `::` is `Joint`.
        (name, TokenTree::Punct(colon)) if colon.as_char() == ':' && colon.spacing() == Spacing::Alone => match name {
            TokenTree::Ident(_) => Some(format!(
                "a nested row needs the name of its type\nhelp: write `{column}: Place {{ .. }}`, with the type of the column"
            )),
            TokenTree::Literal(_) => Some(format!(
                "expected an expression, found a JSON object\nhelp: write `{column}: serde_json::json!({{ .. }})`"
            )),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the name and the value of the mistakes `key = 1` and `"key": 1`.
fn corrected(wrong: &TokenStream) -> Option<(String, String)> {
    let quoted = |input: ParseStream| {
        let name: LitStr = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok((name.parse::<Ident>()?.to_string(), text(input.parse::<Expr>()?)))
    };
    let assigned = |assign: ExprAssign| (text(&assign.left), text(&assign.right));
    quoted.parse2(wrong.clone()).or_else(|_| syn::parse2(wrong.clone()).map(assigned)).ok()
}
