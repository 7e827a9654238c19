//! The model of a connector: the impl block with its `run` and `on_stop` methods.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Attribute, FnArg, GenericArgument, Ident, ImplItem, ImplItemFn, ItemImpl, Lifetime, Pat, PatType, PathArguments,
    ReturnType, Signature, Type, WherePredicate,
};

use super::attr::Options;
use super::parse::{self, is_unfinished};
use crate::ctxt::Ctxt;
use crate::{lifetimes, option, suggest, types};

pub struct Connector<'a> {
    pub block: &'a ItemImpl,
    pub options: Options,
    /// There are several methods only if `#[cfg]` chooses one of them.
    pub runs: Vec<Run<'a>>,
    pub on_stops: Vec<&'a ImplItemFn>,
}

pub struct Run<'a> {
    pub method: &'a ImplItemFn,
    /// Whether the method is an `async fn`.
    pub is_async: bool,
    /// The subjects.
    pub parameters: Vec<Parameter<'a>>,
    /// The type of the last parameter, if it is a partition.
    pub partition: Option<&'a Type>,
}

/// A parameter after the receiver.
pub struct Parameter<'a> {
    /// The signature of its method.
    pub method: &'a Signature,
    pub name: Option<&'a Ident>,
    pub ty: &'a Type,
    pub kind: ParameterKind<'a>,
}

/// The type of a parameter, as far as its tokens show it.
pub enum ParameterKind<'a> {
    /// `Subject<S>` or `Subject<S, O>`, of either handle.
    Subject { handle: Handle, schema: &'a Type, offset: Option<&'a Type> },
    /// A reference to anything.
    Reference(&'a syn::TypeReference),
    /// A type with a well-known name that is not an alias of a subject.
    NoSubject,
    /// A path that may be an alias of a subject.
    Unknown,
}

/// Whether the runtime supports an `async fn run`.
pub const ASYNC: bool = cfg!(any(test, feature = "tokio"));

/// The two types of handles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Handle {
    Blocking,
    Async,
}

impl Handle {
    /// Returns the type of handle that a `run` takes.
    pub fn of_run(is_async: bool) -> Self {
        if is_async { Handle::Async } else { Handle::Blocking }
    }

    pub fn name(self) -> &'static str {
        match self {
            Handle::Blocking => "Subject",
            Handle::Async => "AsyncSubject",
        }
    }

    pub fn named(name: &Ident) -> Option<Self> {
        [Handle::Blocking, Handle::Async].into_iter().find(|handle| name == handle.name())
    }
}

/// Types of the standard library that users write by mistake for a subject, besides primitive types.
const STANDARD: [&str; 16] = [
    "str", "String", "Vec", "Option", "Result", "Box", "Rc", "Arc", "Mutex", "Cow", "HashMap", "BTreeMap", "PathBuf",
    "Duration", "Sender", "Receiver",
];

impl<'a> Connector<'a> {
    pub fn from_block(ctxt: &Ctxt, block: &'a ItemImpl, options: Options) -> Self {
        let mut connector = Connector { block, options, runs: Vec::new(), on_stops: Vec::new() };
        for item in &block.items {
            let ImplItem::Fn(method) = item else { continue };
            if is_named(method, "run") {
                connector.runs.push(Run::from_method(method));
            } else if is_named(method, "on_stop") && connector.on_stops.iter().all(|other| cfgs(other).next().is_some())
            {
                // rustc reports a second method with the same name.
                connector.on_stops.push(method);
            }
        }
        parse::report_parentheses(ctxt, connector.unfinished());
        if connector.runs.is_empty() {
            report_missing_run(ctxt, block);
        }
        connector
    }

    /// Returns the tokens of the block that form no item.
    pub fn unfinished(&self) -> TokenStream {
        let items = self.block.items.iter().filter(|item| is_unfinished(item));
        items.map(ToTokens::to_token_stream).collect()
    }

    /// Returns the places of borrows that need not be `'static`: the lifetimes of the block, `'_`, and `&` without a
    /// lifetime.
    pub fn borrowed_at(&self) -> Vec<Span> {
        let generics = &self.block.generics;
        let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let bounds = clause.filter_map(|predicate| match predicate {
            WherePredicate::Lifetime(predicate) => Some((&predicate.lifetime, &predicate.bounds)),
            _ => None,
        });
        let bounds = bounds.chain(generics.lifetimes().map(|parameter| (&parameter.lifetime, &parameter.bounds)));
        let owned: Vec<&Lifetime> = bounds
            .filter(|(_, bounds)| bounds.iter().any(|bound| bound.ident == "static"))
            .map(|(lifetime, _)| lifetime)
            .collect();
        let named = generics.lifetimes().map(|parameter| &parameter.lifetime);
        let named = named.filter(|lifetime| !owned.contains(lifetime)).map(Lifetime::span);
        named.chain(lifetimes::elided_lifetimes(self.block.self_ty.to_token_stream())).collect()
    }

    /// Returns the lints that the block and its two methods allow, for the impl that repeats their types.
    pub fn allowed_lints(&self) -> TokenStream {
        let methods = self.runs.iter().map(|run| run.method).chain(self.on_stops.iter().copied());
        option::allowed_lints(self.block.attrs.iter().chain(methods.flat_map(|method| &method.attrs)))
    }

    /// Returns the default name, which is the name of the type.
    pub fn type_name(&self) -> String {
        types::last_segment(&self.block.self_ty)
            .map_or_else(|| types::text(&self.block.self_ty), |segment| segment.ident.to_string())
            .trim_start_matches("r#")
            .to_owned()
    }
}

/// Reports a missing `run`, unless an unfinished item may become it, or it has no body, which rustc reports.
fn report_missing_run(ctxt: &Ctxt, block: &ItemImpl) {
    let is_run = |tokens: &TokenStream| {
        let mut names = tokens.clone().into_iter().skip_while(|token| token.to_string() != "fn");
        names.nth(1).is_some_and(|name| name.to_string() == "run")
    };
    if block
        .items
        .iter()
        .any(|item| is_unfinished(item) || matches!(item, ImplItem::Verbatim(tokens) if is_run(tokens)))
    {
        return;
    }
    let mut names = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(&method.sig.ident),
        _ => None,
    });
    match names.find(|name| suggest::nearest(&name.unraw().to_string(), &["run"]).is_some()) {
        Some(name) => ctxt.error(name, "connector has no `run` method\nhelp: did you mean `run`?"),
        None => ctxt.error(
            &block.self_ty,
            "connector has no `run` method\n\
             help: add `fn run(&mut self, rows: Subject<Row>) -> pathway_io::RunResult { .. }`",
        ),
    }
}

impl<'a> Run<'a> {
    /// Returns the subject, if it is the only subject and has no offset type. An impl can then name its type at the
    /// row.
    pub fn single_subject(&self) -> Option<&Parameter<'a>> {
        match self.parameters.as_slice() {
            [parameter] if parameter.offset().is_none() => Some(parameter),
            _ => None,
        }
    }

    /// Returns whether the result is a `Result<(), dyn Error>`. rustc reports it.
    pub fn has_unsized_error(&self) -> bool {
        let ReturnType::Type(_, ty) = &self.method.sig.output else { return false };
        let result = types::last_segment(ty).filter(|segment| segment.ident == "Result");
        let arguments = result.map_or_else(Vec::new, types::type_arguments);
        arguments.iter().any(|ty| matches!(types::peel(ty), Type::TraitObject(_)))
    }

    /// Returns whether the result is written as a future: an `impl Future`, or a box of one.
    pub fn returns_future(&self) -> bool {
        const BOXES: [&str; 3] = ["Pin", "BoxFuture", "LocalBoxFuture"];
        let ReturnType::Type(_, ty) = &self.method.sig.output else { return false };
        let is_box = types::last_segment(ty).is_some_and(|segment| BOXES.iter().any(|name| segment.ident == name));
        (is_box || matches!(types::peel(ty), Type::ImplTrait(_))) && types::text(ty).contains("Future")
    }

    /// Returns the subjects with another offset type than the first subject has, and the text of that type, as far as
    /// the types are written.
    pub fn other_offsets(&self) -> Vec<(&Parameter<'a>, String)> {
        let mut offsets = self.parameters.iter().filter_map(|parameter| match parameter.kind {
            ParameterKind::Subject { offset, .. } => Some((parameter, offset.map_or("()".to_owned(), types::text))),
            _ => None,
        });
        let first = offsets.next().map(|(_, first)| first).unwrap_or_default();
        offsets.filter(|(_, other)| *other != first).map(|(parameter, _)| (parameter, first.clone())).collect()
    }

    fn from_method(method: &'a ImplItemFn) -> Self {
        let mut parameters: Vec<Parameter> = method
            .sig
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Receiver(_) => None,
                FnArg::Typed(typed) => Some(Parameter::of(typed, &method.sig)),
            })
            .collect();
        let partition = parameters.pop_if(|last| is_partition(last.ty)).map(|last| last.ty);
        // All subjects name a shared offset type at one place, so that a mistake in it causes one error.
        let first = parameters.first().and_then(Parameter::offset);
        for parameter in &mut parameters {
            if let (ParameterKind::Subject { offset: Some(offset), .. }, Some(first)) = (&mut parameter.kind, first)
                && types::text(*offset) == types::text(first)
            {
                *offset = first;
            }
        }
        Run { method, is_async: method.sig.asyncness.is_some(), parameters, partition }
    }
}

impl<'a> Parameter<'a> {
    fn of(typed: &'a PatType, method: &'a Signature) -> Self {
        let name = match &*typed.pat {
            Pat::Ident(pat) => Some(&pat.ident),
            _ => None,
        };
        Parameter { method, name, ty: &typed.ty, kind: ParameterKind::of(&typed.ty) }
    }

    /// Returns whether its method is an `async fn`.
    pub fn is_async(&self) -> bool {
        self.method.asyncness.is_some()
    }

    /// Returns the offset type, if it is written.
    pub fn offset(&self) -> Option<&'a Type> {
        let ParameterKind::Subject { offset, .. } = self.kind else { return None };
        offset
    }

    /// Returns the type of handle, if the type is written as one.
    pub fn handle(&self) -> Option<Handle> {
        match self.kind {
            ParameterKind::Subject { handle, .. } => Some(handle),
            ParameterKind::Reference(reference) => Handle::named(&types::last_segment(&reference.elem)?.ident),
            ParameterKind::NoSubject | ParameterKind::Unknown => None,
        }
    }

    /// Returns whether only rustc can tell if the type is a subject.
    pub fn may_be_subject(&self) -> bool {
        matches!(self.kind, ParameterKind::Subject { .. } | ParameterKind::Unknown)
    }
}

/// Returns whether the type is written `Subjects<Cat>`, for a `Subject<Cat>`.
pub fn is_misspelt(ty: &Type) -> bool {
    types::last_segment(ty).is_some_and(|segment| segment.ident == "Subjects")
}

/// Returns whether the type is written `Partition`.
pub fn is_partition(ty: &Type) -> bool {
    types::last_segment(ty).is_some_and(|segment| segment.ident == "Partition" && segment.arguments.is_empty())
}

impl<'a> ParameterKind<'a> {
    pub fn of(ty: &'a Type) -> Self {
        let ty = types::peel(ty);
        if let Type::Reference(reference) = ty {
            return ParameterKind::Reference(reference);
        }
        let Some(segment) = types::last_segment(ty) else {
            return if matches!(ty, Type::Path(_) | Type::Macro(_)) {
                ParameterKind::Unknown
            } else {
                ParameterKind::NoSubject
            };
        };
        if let Some(handle) = Handle::named(&segment.ident)
            && let PathArguments::AngleBracketed(arguments) = &segment.arguments
        {
            let mut arguments = arguments.args.iter();
            return match (arguments.next(), arguments.next(), arguments.next()) {
                (Some(GenericArgument::Type(schema)), None, None) => {
                    ParameterKind::Subject { handle, schema, offset: None }
                }
                (Some(GenericArgument::Type(schema)), Some(GenericArgument::Type(offset)), None) => {
                    ParameterKind::Subject { handle, schema, offset: Some(offset) }
                }
                _ => ParameterKind::Unknown,
            };
        }
        let is_standard = types::is_primitive(ty) || STANDARD.iter().any(|name| segment.ident == name);
        if is_standard || is_partition(ty) || is_misspelt(ty) {
            ParameterKind::NoSubject
        } else {
            ParameterKind::Unknown
        }
    }
}

/// Returns whether the method has this name, perhaps as a raw identifier.
pub fn is_named(method: &ImplItemFn, name: &str) -> bool {
    method.sig.ident.unraw() == name
}

/// Returns the `cfg` attributes of a method.
pub fn cfgs(method: &ImplItemFn) -> impl Iterator<Item = &Attribute> {
    method.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"))
}
