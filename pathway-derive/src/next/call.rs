//! The call that the macro emits: the row's literal, with a conversion around each value.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Block, Expr, ExprPath, Ident, Macro, Stmt, Token, Type, token};

use crate::option::mixed_site_at;

/// The path of the runtime's crate, as `$crate`.
pub struct Runtime(pub TokenStream);

impl Runtime {
    /// Returns the path with a span of the user's code.
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
    pub value: FieldValue,
}

pub enum FieldValue {
    /// An expression. For `key` alone, it is the variable of that name.
    Plain(Expr),
    /// A literal of a flattened row.
    Nested(Row),
}

impl Row {
    pub fn push(&self, subject: &Expr, runtime: &Runtime) -> TokenStream {
        let row = self.value(runtime);
        let span = mixed_site_at(subject.span());
        // An expression that binds less tightly than a method call needs parentheses. For other expressions rustc would
        // warn of them.
        let subject = match subject {
            Expr::Path(_) | Expr::Field(_) | Expr::MethodCall(_) | Expr::Call(_) | Expr::Paren(_) | Expr::Index(_) => {
                subject.to_token_stream()
            }
            other => TokenTree::Group(Group::new(Delimiter::Parenthesis, other.to_token_stream())).into(),
        };
        let next = quote_spanned!(span=> .next);
        quote!(#subject #next (#row))
    }

    /// Returns the literal with converted values and a base for `..`.
    fn value(&self, runtime: &Runtime) -> TokenStream {
        let fields = self.fields.iter().map(|field| field.value(runtime));
        let fields = quote!(#(#fields,)*);
        let literal = |path: &dyn ToTokens, rest: TokenStream| {
            let mut group = Group::new(Delimiter::Brace, quote!(#fields #rest));
            group.set_span(self.brace.span.join());
            quote!(#path #group)
        };
        let path = &self.path;
        let dots = match &self.rest {
            None => return literal(path, TokenStream::new()),
            Some((dots, Some(base))) => return literal(path, quote!(#dots #base)),
            Some((dots, None)) => dots,
        };
        let span = mixed_site_at(dots.span());
        let (pw, given) = (runtime.at(span), self.given_names());
        // An item inside an impl or a function cannot use its `Self` and its parameters.
        let has_arguments = path.path.segments.iter().any(|segment| !segment.arguments.is_none());
        if path.qself.is_some() || has_arguments || path.path.segments[0].ident == "Self" {
            return literal(path, quote_spanned!(span=> #dots const { #pw::checked_rest::<#path>(#given) }.row()));
        }
        // The row is named once, so that a type that is not a schema or not in scope causes one error. rustc repeats an
        // error in a `const` at each use.
        let row = Ident::new("__Row", path.span());
        let rest = quote_spanned!(span=> #dots {
            static REST: #pw::Rest<#row> = #pw::checked_rest(#given);
            REST.row()
        });
        let literal = literal(&row, rest);
        quote!({ type #row = #path; #literal })
    }

    fn given_names(&self) -> TokenStream {
        let given = self.fields.iter().map(|Field { attributes, name, .. }| {
            let name = name.unraw().to_string();
            quote!(#(#attributes)* #name)
        });
        quote!(&[#(#given),*])
    }
}

impl Field {
    fn value(&self, runtime: &Runtime) -> TokenStream {
        let Field { attributes, name, value } = self;
        let value = match value {
            FieldValue::Plain(value) if is_inferred(value) => value.to_token_stream(),
            FieldValue::Plain(value) => convert(value, peel_parens(value), runtime),
            FieldValue::Nested(row) => convert(&row.path, row.value(runtime), runtime),
        };
        quote!(#(#attributes)* #name: #value)
    }
}

/// Returns the expression without parentheses. A struct literal allows them, but rustc warns of them in a call.
fn peel_parens(value: &Expr) -> &Expr {
    match value {
        Expr::Paren(value) if value.attrs.is_empty() => peel_parens(&value.expr),
        other => other,
    }
}

/// Returns the value with its conversion, at the place of the value or of its path.
fn convert(place: &impl Spanned, value: impl ToTokens, runtime: &Runtime) -> TokenStream {
    let span = mixed_site_at(place.span());
    let pw = runtime.at(span);
    quote_spanned!(span=> #pw::convert(#value))
}

/// Returns whether the expression's type is inferred from its place, or it has no type, such as `return`: a conversion
/// would leave it unknown.
pub fn is_inferred(value: &Expr) -> bool {
    const GENERIC: [&str; 6] = ["into", "try_into", "parse", "collect", "sum", "product"];
    /// Methods that return the value inside their receiver, or the receiver with another error.
    const THROUGH: [&str; 6] = ["unwrap", "expect", "unwrap_or_default", "map_err", "context", "with_context"];
    /// Functions of traits whose type is inferred from their place: `Into::into`, `Default::default`.
    const TRAITS: [(&str, &str); 4] =
        [("Default", "default"), ("Into", "into"), ("From", "from"), ("FromIterator", "from_iter")];
    match value {
        Expr::Group(value) => is_inferred(&value.expr),
        Expr::Paren(value) => is_inferred(&value.expr),
        Expr::Try(value) => is_inferred(&value.expr),
        Expr::Await(value) => is_inferred(&value.base),
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => true,
        Expr::Macro(call) => is_diverging(&call.mac),
        Expr::Block(block) => is_block_inferred(&block.block),
        Expr::Unsafe(block) => is_block_inferred(&block.block),
        Expr::If(value) => {
            let otherwise = value.else_branch.as_ref();
            is_block_inferred(&value.then_branch) && otherwise.is_some_and(|(_, value)| is_inferred(value))
        }
        Expr::Match(value) => value.arms.iter().all(|arm| is_inferred(&arm.body)),
        Expr::MethodCall(call) if call.turbofish.is_some() => false,
        Expr::MethodCall(call) if THROUGH.iter().any(|name| call.method == name) => {
            // `names.get("felis").unwrap()` is a reference in a map, which converts.
            !is_get(&call.receiver) && is_inferred(&call.receiver)
        }
        Expr::Cast(cast) => matches!(*cast.ty, Type::Infer(_)),
        Expr::MethodCall(call) => is_get(value) || GENERIC.iter().any(|name| call.method == name),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => {
                let mut names = path.path.segments.iter().rev().map(|segment| &segment.ident);
                let (function, owner) = (names.next(), names.next());
                TRAITS.iter().any(|(known, name)| {
                    owner.is_some_and(|owner| owner == known) && function.is_some_and(|function| function == name)
                })
            }
            _ => false,
        },
        _ => false,
    }
}

/// Returns whether the expression is `row.get(0)` or `row.try_get(0)`, which return a database's value as the type of
/// its place.
fn is_get(value: &Expr) -> bool {
    matches!(value, Expr::MethodCall(call) if !call.args.is_empty() && (call.method == "get" || call.method == "try_get"))
}

/// Returns whether the type of a block's last expression is inferred from its place. A block without such an expression
/// ends early, or is a `()`, which rustc reports as not being a value of the column.
fn is_block_inferred(block: &Block) -> bool {
    match block.stmts.last() {
        Some(Stmt::Expr(value, _)) => is_inferred(value),
        Some(Stmt::Macro(call)) => is_diverging(&call.mac),
        _ => false,
    }
}

fn is_diverging(call: &Macro) -> bool {
    const DIVERGING: [&str; 4] = ["todo", "unimplemented", "unreachable", "panic"];
    call.path.segments.last().is_some_and(|name| DIVERGING.iter().any(|known| name.ident == known))
}
