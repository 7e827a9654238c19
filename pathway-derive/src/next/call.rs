//! The call that the macro emits: the row's literal, with a conversion around each value.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprPath, Ident, Token, Type, token};

use crate::option::glue;

/// The path of the runtime's crate, as `$crate`.
pub struct Runtime(pub TokenStream);

impl Runtime {
    /// Its path at a place of the user's.
    pub fn at(&self, span: Span) -> TokenStream {
        let krate = self.0.clone().into_iter().map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        });
        let krate = krate.collect::<TokenStream>();
        quote_spanned!(span=> #krate::__private0)
    }
}
pub struct Call {
    pub subject: Expr,
    pub row: Option<Row>,
}

/// `Cat { key: 1, .. }`
pub struct Row {
    pub path: ExprPath,
    pub brace: token::Brace,
    pub fields: Vec<Field>,
    pub rest: Option<(Token![..], Option<Expr>)>,
}

pub struct Field {
    pub attributes: Vec<Attribute>,
    pub name: Ident,
    pub value: Value,
}

pub enum Value {
    /// `key`, a variable of the field's name.
    Same,
    Plain(Expr),
    /// A literal of a flattened row.
    Nested(Row),
}

impl Row {
    pub fn push(&self, subject: &Expr, runtime: &Runtime) -> TokenStream {
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
