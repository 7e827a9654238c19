//! The user's item, read without the bodies of its methods.
//!
//! rustc reads the bodies: it knows more than `syn`, such as a `$body:block` of `macro_rules!` that is a statement. In
//! an editor, an unfinished body or method does not affect the rest of the connector.
//!
//! rustc has read the item once before it calls the macro, and reads it again in the output. It shows equal errors at
//! one place once.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Block, Expr, FnModifiers, ImplItem, ImplItemFn, Item, ItemImpl, Stmt, braced, token};

use crate::ctxt::Ctxt;
use crate::types::text;

/// Parses the item. Anything but an impl block is read as an ordinary item.
pub fn item(tokens: TokenStream) -> syn::Result<Item> {
    let mut head: Vec<TokenTree> = tokens.clone().into_iter().collect();
    if let Some(TokenTree::Group(group)) = head.pop() {
        head.push(Group::new(group.delimiter(), TokenStream::new()).into());
        if let Ok(Item::Impl(mut block)) = syn::parse2(head.into_iter().collect()) {
            block.brace_token = token::Brace { span: group.delim_span() };
            Parser::parse2(|input: ParseStream| items(input, &mut block), group.stream())?;
            return Ok(Item::Impl(block));
        }
    }
    syn::parse2(tokens)
}

fn items(input: ParseStream, block: &mut ItemImpl) -> syn::Result<()> {
    block.attrs.extend(input.call(Attribute::parse_inner)?);
    while !input.is_empty() {
        let ahead = input.fork();
        let item = match method(&ahead) {
            Ok(method) => {
                input.advance_to(&ahead);
                ImplItem::Fn(method)
            }
            Err(_) => other(input)?,
        };
        block.items.push(item);
    }
    Ok(())
}

/// Parses an item other than a method. Tokens that form no item are kept one by one, so that a half-typed method does
/// not affect the others.
fn other(input: ParseStream) -> syn::Result<ImplItem> {
    let ahead = input.fork();
    let Ok(item) = ahead.parse() else {
        return Ok(ImplItem::Verbatim(input.parse::<TokenTree>()?.into()));
    };
    input.advance_to(&ahead);
    Ok(item)
}

/// Returns whether the item is a single token that does not parse. An unknown item that `syn` accepts has more tokens.
pub fn is_unfinished(item: &ImplItem) -> bool {
    matches!(item, ImplItem::Verbatim(tokens) if tokens.clone().into_iter().nth(1).is_none())
}

/// Reports each type such as `Subject(Cat)` in unfinished items. `syn` does not parse it; rustc does, and so has not
/// reported it.
pub fn report_parentheses(ctxt: &Ctxt, unfinished: TokenStream) {
    let tokens: Vec<TokenTree> = unfinished.into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        if group.delimiter() != Delimiter::Parenthesis {
            continue;
        }
        match &tokens[..i] {
            [.., TokenTree::Punct(before), TokenTree::Ident(name)]
                if [':', '<', '>'].contains(&before.as_char()) && !name.to_string().contains("Fn") =>
            {
                let arguments = text(group.stream());
                let help = format!("write `{name}<{arguments}>`");
                ctxt.error(quote!(#name #group), format!("expected a type, found `{name}({arguments})`\nhelp: {help}"));
            }
            _ => report_parentheses(ctxt, group.stream()),
        }
    }
}

fn method(input: ParseStream) -> syn::Result<ImplItemFn> {
    let mut attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    let modifiers = FnModifiers::default();
    let sig = input.parse()?;
    let content;
    let mut brace_token = braced!(content in input);
    attrs.extend(content.call(Attribute::parse_inner)?);
    if Block::parse_within(&content.fork()).is_err() {
        // The braces of a generated block have one span. If it is the closing brace, an error at the end of the body is
        // at the same place both times.
        brace_token = token::Brace(brace_token.span.close());
    }
    let block = Block { brace_token, stmts: vec![statements(content.parse()?)] };
    Ok(ImplItemFn { attrs, vis, modifiers, sig, block })
}

/// Statements that are passed on unparsed.
pub fn statements(tokens: TokenStream) -> Stmt {
    Stmt::Expr(Expr::Verbatim(tokens), None)
}
