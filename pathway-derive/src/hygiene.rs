//! Checks that an expansion uses no name that could mean something else where it is placed.
//!
//! [`assert`] checks every snapshot. [`with_foreign_prelude`] moves the names of the prelude in the input into a
//! module, so that a bare `String` in the output can only be generated. The rules for the output are:
//!
//! - a path begins with the alias of the runtime or with `::`, or is a name of the user or a name that the output
//!   binds;
//! - an associated item is `<T as Trait>::X`, since `T::X` may belong to another trait, and only a few inherent
//!   methods are called;
//! - patterns bind names that begin with `__`, because a pattern with the name of a constant would match the constant;
//! - macros are called by an absolute path; only the runtime is imported, under its alias, and items that the user
//!   names, under names that begin with `__`;
//! - impls are `#[automatically_derived]`, items are in a `const _`, and lints are allowed for a reason.

use std::collections::HashSet;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};

const PRELUDE: [&str; 36] = [
    "bool", "str", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "usize", "f32", "f64", "String", "Vec",
    "Option", "Some", "None", "Result", "Ok", "Err", "Box", "Clone", "Copy", "Default", "From", "Into", "Iterator",
    "Send", "Sync", "Sized", "Drop", "Fn", "ToString", "core", "std",
];

/// The aliases of the runtime, and the paths that they are imported from.
const IMPORTS: [(&str, &str); 2] =
    [("__pathway_io", ":: pathway_io :: __private0"), ("__flow", ":: pathway_io :: __private0 :: dataflow")];

/// Lints that the output may allow, and why.
const LINTS: [(&str, &str); 19] = [
    ("deprecated", "the impls of a deprecated type name it"),
    ("unused_qualifications", "it takes generated tokens at a user's type for the user's own"),
    ("unreachable_pub", "the impls of a public connector name the type"),
    ("private_interfaces", "a private row of a public connector is an error already"),
    ("clippy::needless_pass_by_value", "a subject is given, not lent"),
    ("clippy::unnecessary_wraps", "`run` and its result are what the trait has"),
    ("clippy::unused_self", "as above"),
    ("clippy::type_repetition_in_bounds", "the bounds of `run` follow those of the block"),
    ("clippy::missing_const_for_fn", "as above"),
    ("clippy::same_name_method", "the trait's methods have the names of the user's"),
    ("clippy::needless_pass_by_ref_mut", "as above"),
    ("clippy::future_not_send", "an async connector stays on its thread"),
    ("clippy::unused_async", "as above"),
    ("unused_mut", "the body is left out after an error"),
    ("unused_variables", "as above"),
    ("clippy::shadow_reuse", "a parameter is checked under its own name"),
    ("clippy::type_complexity", "the type of a subject repeats that of its parameter"),
    ("clippy::used_underscore_binding", "the generated check of a parameter names it"),
    ("unexpected_cfgs", "Cargo does not know the cfg of rust-analyzer"),
];

/// Methods that the output may call. All are inherent methods of the runtime's types, which take precedence over those
/// of traits. The exception is `next`, which is called on the user's subject.
const METHODS: [&str; 10] =
    ["describe", "append_only", "deny_unknown", "skip", "name", "autocommit", "eager", "backlog", "row", "next"];

/// Returns the tokens with the names of the prelude in a module `user`.
pub fn with_foreign_prelude(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => {
                TokenStream::from(TokenTree::from(Group::new(group.delimiter(), with_foreign_prelude(group.stream()))))
            }
            TokenTree::Ident(name) if PRELUDE.iter().any(|other| name == other) => quote::quote!(user::#name),
            other => other.into(),
        })
        .collect()
}

/// Panics with every violation in the `output` for a [`with_foreign_prelude`] `input`.
pub fn assert(input: &TokenStream, output: &TokenStream) {
    let violations = check(input, output);
    assert!(violations.is_empty(), "{}\nin {output}", violations.join("\n"));
}

fn check(input: &TokenStream, output: &TokenStream) -> Vec<String> {
    let mut users = HashSet::from(["Self", "self"].map(str::to_owned));
    words(input.clone(), &mut users);
    let file: syn::File = match syn::parse2(output.clone()) {
        Ok(file) => file,
        Err(_) => syn::parse2(quote::quote!(const _: () = { #output };)).unwrap(),
    };
    let mut constants = Constants(HashSet::new());
    constants.visit_file(&file);
    let mut visitor = Hygiene { words: users, constants: constants.0, violations: Vec::new() };
    for item in &file.items {
        visitor.top(item, input);
    }
    visitor.violations
}

fn words(tokens: TokenStream, names: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => words(group.stream(), names),
            TokenTree::Ident(name) => {
                names.insert(name.to_string());
            }
            _ => {}
        }
    }
    for name in PRELUDE {
        names.remove(name);
    }
}

/// Finds the constants and statics in the output.
struct Constants(HashSet<String>);

impl Visit<'_> for Constants {
    fn visit_item_const(&mut self, item: &syn::ItemConst) {
        self.0.insert(item.ident.to_string());
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &syn::ItemStatic) {
        self.0.insert(item.ident.to_string());
        visit::visit_item_static(self, item);
    }
}

struct Hygiene {
    /// The names in the input.
    words: HashSet<String>,
    constants: HashSet<String>,
    violations: Vec<String>,
}

impl Hygiene {
    /// Returns whether the name is one of the user, or one that the output binds.
    fn is_bound(&self, name: &Ident) -> bool {
        let name = name.to_string();
        name.starts_with("__") || self.words.contains(&name) || self.constants.contains(&name)
    }

    fn report(&mut self, what: &str, tokens: impl ToTokens) {
        self.violations.push(format!("{what}: {}", tokens.to_token_stream()));
    }

    /// Checks an item of the output: the user's own item with additions, an error, or a `const _` with everything
    /// else.
    fn top(&mut self, item: &syn::Item, input: &TokenStream) {
        match item {
            syn::Item::Const(item) if item.ident == "_" => self.visit_item_const(item),
            syn::Item::Macro(item) if is_error(&item.mac) => {}
            // The body is the user's code. Only the statements that are added before it are checked.
            syn::Item::Impl(block) if is_user_impl(block, input) => {
                for item in &block.items {
                    if let syn::ImplItem::Fn(method) = item {
                        method.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
                        method
                            .block
                            .stmts
                            .iter()
                            .filter(|first| is_added(first))
                            .for_each(|first| self.visit_stmt(first));
                    }
                }
            }
            other if is_same(other, input) => {}
            other => self.report("outside of a `const _`", other),
        }
    }
}

fn is_error(mac: &syn::Macro) -> bool {
    mac.path.leading_colon.is_some() && mac.path.segments.last().is_some_and(|name| name.ident == "compile_error")
}

/// Returns whether the statement is an added one: an import, or a `let` that allows a lint. No input has them.
fn is_added(statement: &syn::Stmt) -> bool {
    match statement {
        syn::Stmt::Item(item) => matches!(item, syn::Item::Use(_)),
        syn::Stmt::Local(local) => local.attrs.iter().any(|added| added.path().is_ident("allow")),
        // This loop replaces a body that is omitted after an error.
        syn::Stmt::Expr(syn::Expr::Loop(body), None) => body.body.stmts.is_empty(),
        _ => false,
    }
}

/// Returns whether the block is in the input, apart from attributes on its methods and added statements in their
/// bodies.
fn is_user_impl(block: &syn::ItemImpl, input: &TokenStream) -> bool {
    let mut block = block.clone();
    for item in &mut block.items {
        if let syn::ImplItem::Fn(method) = item {
            method.attrs.retain(|attribute| !attribute.path().is_ident("allow"));
            method.block.stmts.retain(|statement| !is_added(statement));
        }
    }
    is_same(block, input)
}

/// Returns whether all names are imported under names that begin with `__`.
fn only_renames(tree: &syn::UseTree) -> bool {
    match tree {
        syn::UseTree::Path(path) => only_renames(&path.tree),
        syn::UseTree::Group(group) => group.items.iter().all(only_renames),
        syn::UseTree::Rename(item) => item.rename.to_string().starts_with("__"),
        syn::UseTree::Name(_) | syn::UseTree::Glob(_) => false,
    }
}

fn is_same(a: impl ToTokens, b: impl ToTokens) -> bool {
    let plain = |tokens: TokenStream| tokens.to_string().replace(char::is_whitespace, "");
    plain(a.to_token_stream()) == plain(b.to_token_stream())
}

impl Visit<'_> for Hygiene {
    fn visit_path(&mut self, path: &syn::Path) {
        if path.leading_colon.is_none() && !self.is_bound(&path.segments[0].ident) {
            self.report("not absolute", path);
        }
        visit::visit_path(self, path);
    }

    fn visit_type_path(&mut self, ty: &syn::TypePath) {
        let starts_with_self = ty.path.segments.first().is_some_and(|segment| segment.ident == "Self");
        if ty.qself.is_none() && starts_with_self && ty.path.segments.len() > 1 {
            self.report("an associated type without its trait", ty);
        }
        visit::visit_type_path(self, ty);
    }

    fn visit_qself(&mut self, qself: &syn::QSelf) {
        if qself.position == 0 {
            self.report("an associated item without its trait", &qself.ty);
        }
        visit::visit_qself(self, qself);
    }

    fn visit_pat_ident(&mut self, pat: &syn::PatIdent) {
        let name = pat.ident.to_string();
        if !name.starts_with("__") && !self.words.contains(&name) {
            self.report("a pattern that may be a constant's name", pat);
        }
        visit::visit_pat_ident(self, pat);
    }

    fn visit_expr_method_call(&mut self, call: &syn::ExprMethodCall) {
        if !self.words.contains(&call.method.to_string()) && !METHODS.iter().any(|name| call.method == name) {
            self.report("a method that may be a trait's", &call.method);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, mac: &syn::Macro) {
        if mac.path.leading_colon.is_none() && !self.is_bound(&mac.path.segments[0].ident) {
            self.report("a macro", mac);
        }
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        let text = item.to_token_stream().to_string();
        let is_for_an_editor =
            text.starts_with("# [cfg (rust_analyzer)] use :: pathway_io :: __private0 :: options ::");
        let is_runtime = IMPORTS.iter().any(|(alias, path)| text == format!("use {path} as {alias} ;"));
        let is_users = matches!(&item.tree, syn::UseTree::Path(path)
            if self.words.contains(&path.ident.to_string()) && only_renames(&path.tree));
        if !is_for_an_editor && !is_runtime && !is_users {
            self.report("an import", item);
        }
    }

    fn visit_item_impl(&mut self, item: &syn::ItemImpl) {
        if !item.attrs.iter().any(|attribute| attribute.path().is_ident("automatically_derived")) {
            self.report("not `#[automatically_derived]`", item);
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_attribute(&mut self, attribute: &syn::Attribute) {
        if !attribute.path().is_ident("allow") {
            return;
        }
        let lints = attribute.meta.require_list().map(|list| list.tokens.to_string().replace(' ', ""));
        for lint in lints.unwrap_or_default().split(',').filter(|lint| !lint.is_empty()) {
            if !LINTS.iter().any(|(name, _)| *name == lint) {
                self.report("a lint allowed without a reason", lint.parse::<TokenStream>().unwrap());
            }
        }
    }
}

#[test]
fn names_that_could_be_captured_are_found() {
    let input = quote::quote!(
        struct Cat {
            key: user::i64,
        }
    );
    let wrong = [
        "impl __pathway_io::Schema for Cat {}",
        "#[automatically_derived] impl Schema for Cat {}",
        "#[automatically_derived] impl __pathway_io::Schema for Cat { fn f() -> Option<Cat> { loop {} } }",
        "const X: __pathway_io::u8 = Some(3);",
        "fn f(__x: __pathway_io::Row) { match __x { None => {} } }",
        "fn f(__x: Cat) -> Self::Key { loop {} }",
        "fn f(__x: Cat) -> <Cat>::Key { loop {} }",
        "fn f(x: Cat) {}",
        "fn f(__x: Cat) { __x.clone() }",
        "fn f(__x: Cat) { panic!() }",
        "use ::pathway_io::__private0::*;",
        "use user::*;",
        "use user::{i64 as __x, i64};",
        "#[allow(warnings)] fn f() {}",
        "#[allow(deprecated, dead_code)] fn f() {}",
    ];
    for text in wrong {
        let inner: TokenStream = text.parse().unwrap();
        assert_eq!(check(&input, &quote::quote!(const _: () = { #inner };)).len(), 1, "{text}");
        assert!(!check(&input, &inner).is_empty(), "{text}");
    }
    let right = "const _: () = { #[automatically_derived] impl __pathway_io::Schema for Cat { type Key = user::i64; \
                 fn f(&self, __x: &::core::primitive::str) -> <Self as __pathway_io::Schema>::Key { let __y = __x; __y } } \
                 use user::{i64 as __Int}; type X = __Int; };";
    assert_eq!(check(&input, &right.parse().unwrap()), Vec::<String>::new());
}
