//! `next!`: a struct literal whose values convert, pushed into a subject.
//!
//! The literal's path and fields are the user's own tokens: what is missing, unknown or repeated is for rustc to say.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprAssign, ExprPath, Ident, LitStr, Token, Type, token};

use crate::ctxt::Ctxt;
use crate::option::glue;
use crate::types::text;

/// The tokens of `next!` behind `($crate)`.
pub fn expand(tokens: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let mut krate = TokenStream::new();
    let parsed = Parser::parse2(
        |input: ParseStream| {
            let group: Group = input.parse()?;
            krate = group.stream();
            let call = parse(&ctxt, input);
            if call.is_none() {
                input.parse::<TokenStream>()?;
            }
            Ok(call)
        },
        tokens,
    );
    let call = parsed.unwrap_or_else(|error| {
        ctxt.syn_error(error);
        None
    });
    let runtime = Runtime(krate);
    let errors = ctxt.check();
    match call {
        Some(Call { subject, row: Some(row) }) if errors.is_empty() => row.push(&subject, &runtime),
        call => {
            let pw = runtime.at(Span::mixed_site());
            let subject = call.map_or_else(|| quote!(()), |call| call.subject.to_token_stream());
            quote!({ #errors #pw::refused(&(#subject)) })
        }
    }
}

/// The path of the runtime's crate, as `$crate`.
struct Runtime(TokenStream);

impl Runtime {
    /// Its path at a place of the user's.
    fn at(&self, span: Span) -> TokenStream {
        let krate = self.0.clone().into_iter().map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        });
        let krate = krate.collect::<TokenStream>();
        quote_spanned!(span=> #krate::__private0)
    }
}

struct Call {
    subject: Expr,
    row: Option<Row>,
}

/// `Cat { key: 1, .. }`
struct Row {
    path: ExprPath,
    brace: token::Brace,
    fields: Vec<Field>,
    rest: Option<(Token![..], Option<Expr>)>,
}

struct Field {
    attributes: Vec<Attribute>,
    name: Ident,
    value: Value,
}

enum Value {
    /// `key`, a variable of the field's name.
    Same,
    Plain(Expr),
    /// A literal of a flattened row.
    Nested(Row),
}

fn parse(ctxt: &Ctxt, input: ParseStream) -> Option<Call> {
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
    if input.is_empty() && matches!(subject, Expr::Struct(_)) {
        ctxt.error(subject, format!("expected a subject before the row\n{example}"));
        return None;
    }
    let mut call = Call { subject, row: None };
    if !input.is_empty() && !input.peek(Token![,]) {
        ctxt.error_at(input.span(), format!("expected `,` after the subject\n{example}"));
        drain(input);
        return Some(call);
    }
    skip_comma(input);
    if input.is_empty() {
        ctxt.error(&call.subject, format!("expected a row after the subject\n{example}"));
    } else if is_literal(input) {
        call.row = literal(ctxt, input);
        if input.peek(Token![,]) {
            skip_comma(input);
        }
        if !input.is_empty() {
            ctxt.error_at(input.span(), "expected nothing after the row");
        }
    } else {
        ctxt.error(Wrong::parse(input), format!("expected `column: value`\nhelp: {}", help(input, &call.subject)));
    }
    // what is left has been complained of
    drain(input);
    Some(call)
}

/// What to write instead of something that is no literal of a row; the thing itself has been parsed.
fn help(input: ParseStream, subject: &Expr) -> String {
    let subject = text(subject);
    if input.is_empty() {
        format!(
            "name the schema and its columns: `next!({subject}, Cat {{ key: 1, .. }})`; a row as a whole goes with `{subject}.next(row)`"
        )
    } else {
        format!("name the schema and its columns: `next!({subject}, Cat {{ key: 1, .. }})`")
    }
}

/// The tokens up to a comma, to be underlined.
struct Wrong(TokenStream);

impl Wrong {
    fn parse(input: ParseStream) -> Self {
        let mut tokens = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            match input.parse::<TokenTree>() {
                Ok(token) => tokens.extend([token]),
                Err(_) => break,
            }
        }
        Wrong(tokens)
    }
}

impl ToTokens for Wrong {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

fn skip_comma(input: ParseStream) {
    let _ = input.parse::<Token![,]>();
}

fn drain(input: ParseStream) {
    let _ = input.parse::<TokenStream>();
}

/// Whether a path and braces come next.
fn is_literal(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.parse::<ExprPath>().is_ok() && ahead.peek(token::Brace)
}

/// Whether all that comes until a comma is a path and braces.
fn is_whole_literal(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.parse::<ExprPath>().is_ok()
        && ahead.peek(token::Brace)
        && ahead.parse::<Group>().is_ok()
        && (ahead.is_empty() || ahead.peek(Token![,]))
}

fn literal(ctxt: &Ctxt, input: ParseStream) -> Option<Row> {
    let parsed = (|| {
        let path: ExprPath = input.parse()?;
        let content;
        let brace = syn::braced!(content in input);
        let mut row = Row { path, brace, fields: Vec::new(), rest: None };
        fields(ctxt, &content, &mut row);
        drain(&content);
        Ok(row)
    })();
    parsed.map_err(|error| ctxt.syn_error(error)).ok()
}

fn fields(ctxt: &Ctxt, input: ParseStream, row: &mut Row) {
    while !input.is_empty() {
        match field(ctxt, input, row) {
            Ok(()) if !input.is_empty() && !input.peek(Token![,]) => {
                ctxt.error_at(input.span(), "expected `,` between columns");
                Wrong::parse(input);
            }
            Ok(()) => {}
            Err(error) => {
                ctxt.syn_error(error);
                Wrong::parse(input);
            }
        }
        if input.peek(Token![,]) {
            if row.rest.is_some() {
                ctxt.error_at(input.span(), "`..` must be the last, without a comma behind it");
                return;
            }
            skip_comma(input);
        }
    }
}

/// A name, of which a keyword is reported.
fn column_name(ctxt: &Ctxt, input: ParseStream) -> syn::Result<Ident> {
    if !input.peek(Ident) {
        let word = input.fork().call(Ident::parse_any)?;
        ctxt.error(&word, format!("`{word}` is a keyword\nhelp: write `r#{word}`"));
    }
    input.call(Ident::parse_any)
}

fn field(ctxt: &Ctxt, input: ParseStream, row: &mut Row) -> syn::Result<()> {
    let attributes = input.call(Attribute::parse_outer)?;
    if input.peek(Token![..]) && !input.peek(Token![..=]) {
        let dots = input.parse()?;
        let base = if input.is_empty() || input.peek(Token![,]) { None } else { Some(input.parse()?) };
        row.rest = Some((dots, base));
        return Ok(());
    }
    let is_name = input.peek(Ident::peek_any);
    if is_name && input.peek2(Token![:]) && !input.peek2(Token![::]) {
        let name = column_name(ctxt, input)?;
        let colon: Token![:] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(colon.span, format!("expected a value after `{name}:`")));
        }
        let value = if is_whole_literal(input) {
            match literal(ctxt, input) {
                Some(row) => Value::Nested(row),
                None => return Ok(()),
            }
        } else {
            Value::Plain(input.parse()?)
        };
        row.fields.push(Field { attributes, name, value });
        return Ok(());
    }
    if is_name {
        let ahead = input.fork();
        ahead.call(Ident::parse_any)?;
        if ahead.is_empty() || ahead.peek(Token![,]) {
            let name = column_name(ctxt, input)?;
            row.fields.push(Field { attributes, name, value: Value::Same });
            return Ok(());
        }
    }
    let wrong = Wrong::parse(input);
    let help = match instead(&wrong) {
        Some((name, value)) => format!("\nhelp: write `{name}: {value}`"),
        None => String::new(),
    };
    ctxt.error(wrong, format!("expected `column: value`{help}"));
    Ok(())
}

/// The name and the value of `key = 1` and of `"key": 1`.
fn instead(wrong: &Wrong) -> Option<(String, String)> {
    let quoted = |input: ParseStream| {
        let name: LitStr = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok((name.parse::<Ident>()?.to_string(), text(input.parse::<Expr>()?)))
    };
    let assigned = |assign: ExprAssign| (text(&assign.left), text(&assign.right));
    quoted.parse2(wrong.0.clone()).or_else(|_| syn::parse2(wrong.0.clone()).map(assigned)).ok()
}

impl Row {
    fn push(&self, subject: &Expr, runtime: &Runtime) -> TokenStream {
        let row = self.value(runtime);
        let span = glue(subject.span());
        // what binds less than a method call needs parentheses, and what does not would be warned of
        let subject = match subject {
            Expr::Path(_) | Expr::Field(_) | Expr::MethodCall(_) | Expr::Call(_) | Expr::Paren(_) | Expr::Index(_) => {
                subject.to_token_stream()
            }
            other => TokenTree::Group(Group::new(Delimiter::Parenthesis, other.to_token_stream())).into(),
        };
        let next = quote_spanned!(span=> .next);
        quote!(#subject #next (#row))
    }

    /// The literal with converted values and a base for `..`.
    fn value(&self, runtime: &Runtime) -> TokenStream {
        let fields = self.fields.iter().map(|field| field.value(runtime));
        let rest = self.rest.as_ref().map(|(dots, base)| match base {
            Some(base) => quote!(#dots #base),
            None => self.base(dots, runtime),
        });
        let mut group = Group::new(Delimiter::Brace, quote!(#(#fields,)* #rest));
        group.set_span(self.brace.span.join());
        let path = &self.path;
        quote!(#path #group)
    }

    fn base(&self, dots: &Token![..], runtime: &Runtime) -> TokenStream {
        let span = glue(dots.span());
        let pw = runtime.at(span);
        let path = &self.path;
        let given = self.fields.iter().map(|Field { attributes, name, .. }| {
            let name = name.unraw().to_string();
            quote!(#(#attributes)* #name)
        });
        let given = quote!(&[#(#given),*]);
        let is_own = path.path.segments.first().is_some_and(|segment| segment.ident == "Self");
        // an item inside of an impl cannot speak of its `Self`
        if is_own || path.qself.is_some() {
            return quote_spanned!(span=> #dots const { #pw::checked_rest::<#path>(#given) }.row());
        }
        // the schema is named once, so that one that is none is one error; rustc repeats a fault of a `const` where it is used
        quote_spanned! {span=>
            #dots {
                static REST: #pw::Rest<#path> = #pw::checked_rest(#given);
                REST.row()
            }
        }
    }
}

impl Field {
    fn value(&self, runtime: &Runtime) -> TokenStream {
        let Field { attributes, name, value } = self;
        let value = match value {
            Value::Same => convert(name, runtime),
            Value::Plain(value) if is_told_by_its_place(value) => value.to_token_stream(),
            Value::Plain(value) => convert(value, runtime),
            Value::Nested(row) => row.value(runtime),
        };
        quote!(#(#attributes)* #name: #value)
    }
}

fn convert(value: &impl ToTokens, runtime: &Runtime) -> TokenStream {
    let span = glue(value.span());
    let pw = runtime.at(span);
    quote_spanned!(span=> #pw::convert(#value))
}

/// Whether the expression's type is inferred from where it stands: a conversion would leave it unknown.
fn is_told_by_its_place(value: &Expr) -> bool {
    const GENERIC: [&str; 6] = ["into", "try_into", "parse", "collect", "sum", "product"];
    /// Methods that give what is in their receiver, or the receiver with another error.
    const THROUGH: [&str; 6] = ["unwrap", "expect", "unwrap_or_default", "map_err", "context", "with_context"];
    match value {
        Expr::Group(value) => is_told_by_its_place(&value.expr),
        Expr::Paren(value) => is_told_by_its_place(&value.expr),
        Expr::Try(value) => is_told_by_its_place(&value.expr),
        Expr::Await(value) => is_told_by_its_place(&value.base),
        Expr::MethodCall(call) if call.turbofish.is_some() => false,
        Expr::MethodCall(call) if THROUGH.iter().any(|name| call.method == name) => {
            is_told_by_its_place(&call.receiver)
        }
        Expr::Cast(cast) => matches!(*cast.ty, Type::Infer(_)),
        Expr::MethodCall(call) => GENERIC.iter().any(|name| call.method == name),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => path.path.segments.last().is_some_and(|segment| {
                segment.ident == "default"
                    && path.path.segments.iter().rev().nth(1).is_some_and(|s| s.ident == "Default")
            }),
            _ => false,
        },
        _ => false,
    }
}
