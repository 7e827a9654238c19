//! The `Connector` impl of a connector without mistakes.
//!
//! As in a schema, each requirement on a type is one bound on an associated type, at the user's tokens:
//! [`type_checks`]. A single `Subject<Cat>` appears in the impl unchanged. Several subjects are each wrapped in a type
//! that names their position (`SubjectHandle<Self, 1>`), so that an error underlines one parameter and not the tuple.
//! If the row type does not implement `Schema`, rustc sees an error type there ([`if_subject`]) and reports no error
//! that follows from it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Ident, ReturnType, Type, parse_quote};

use super::ast::{Connector, ParameterKind, Run, cfgs};
use super::attr::Time;
use super::handle::{handle_module, if_subject, offset_type, row_span, subjects_type, table_type, tables_type, tuple};
use crate::{option, types};

/// Returns the impl for one `run`; `#[cfg]` chooses between several.
pub fn expand(connector: &Connector, run: &Run, stops_well: bool) -> TokenStream {
    let import = option::runtime(connector.options.krate.get());
    let checks = type_checks(connector, run);
    let (cfgs, mut allow) = (cfgs(run.method), connector.allowed_lints());
    if run.method.sig.generics.where_clause.is_some() {
        // The impl repeats the bounds of `run` after those of the block.
        allow.extend(quote!(#[allow(clippy::type_repetition_in_bounds)]));
    }
    let self_ty = &connector.block.self_ty;
    let generics = bounded_generics(connector, run);
    let (generics, _, where_clause) = generics.split_for_impl();
    let subjects = subjects_type(run);
    let tables = tables_type(run);
    let run_method = run_method(connector, run, &subjects);
    let options = options(connector);
    let on_stop = connector.on_stops.iter().filter(|_| stops_well).map(|method| {
        let cfgs = super::ast::cfgs(method);
        let call = quote!(Self::on_stop(self));
        let call = if method.sig.asyncness.is_some() { quote!(__pathway_io::tasks::on_stop(#call)) } else { call };
        quote! {
            #(#cfgs)*
            fn on_stop(&mut self) {
                #call;
            }
        }
    });
    // Every bound `Send` has the span of the user's type, because rustc shows equal errors at one place once.
    let span = self_ty.span();
    let impl_token = connector.block.impl_token;
    let head = quote_spanned!(span=> #impl_token #generics __pathway_io::Connector for #self_ty #where_clause);
    // rustc reports a private row of a public connector at these items.
    let types = quote_spanned! {option::mixed_site_at(method_span(connector, run))=>
        type Subjects = #subjects;
        type Tables = #tables;
    };
    let body = quote! {
        #types
        #options
        #run_method
        #(#on_stop)*
    };
    let connector_impl = option::item_at(span, head, body);
    quote! {
        #(#cfgs)*
        #allow
        const _: () = {
            #import
            #checks
            // The impl carries the span of the user's type, so the lint would report it as the user's code. rustc
            // already reports a private row of a public connector.
            #[allow(unused_qualifications, private_interfaces)]
            #[automatically_derived]
            #connector_impl
        };
    }
}

/// Returns the span of the methods, which repeat the type of a single subject.
fn method_span(connector: &Connector, run: &Run) -> Span {
    run.single_subject().map_or_else(|| connector.block.self_ty.span(), row_span)
}

/// Returns the trait's `run`, which calls the user's. A partitioned source has two more methods; a pipeline that does
/// not partition it reads it as a whole.
fn run_method(connector: &Connector, run: &Run, subjects: &TokenStream) -> TokenStream {
    let locals: Vec<Ident> = (0..run.parameters.len()).map(subject_ident).collect();
    let pattern = tuple(Span::mixed_site(), locals.iter().map(ToTokens::to_token_stream));
    // Names are hygienic, so the body must use the same identifiers.
    let [this, given] = ["self", "__subjects"].map(|name| Ident::new(name, Span::mixed_site()));
    let result = call_run(connector, run, &locals, &this);
    let body = quote!(let #pattern = #given; #result);
    let given_type = match run.single_subject() {
        // The signature of the method also requires the schema of a single subject.
        Some(_) => subjects.clone(),
        // The span is not the user's type, where this path would look like the user's own qualification.
        None => quote!(<Self as __pathway_io::Connector>::Subjects),
    };
    let span = method_span(connector, run);
    let method = |name: &str, parameter: Option<TokenStream>, body: TokenStream| {
        let name = Ident::new(name, span);
        let parameters = quote_spanned!(span=> &mut #this, #given: #given_type #parameter);
        let head = quote_spanned!(span=> fn #name(#parameters) -> __pathway_io::RunResult);
        option::item_at(span, head, body)
    };
    if run.partition.is_none() {
        return method("run", None, body);
    }
    let part = partition_ident();
    let run_partition = method("run_partition", Some(quote!(, #part: __pathway_io::Partition)), body);
    let run_whole = quote!(__pathway_io::Connector::run_partition(#this, #given, __pathway_io::Partition::WHOLE));
    let run_whole = method("run", None, run_whole);
    let self_ty = &connector.block.self_ty;
    let copy = quote_spanned!(self_ty.span()=> __pathway_io::clone_partition::<#self_ty>());
    quote! {
        #run_whole
        #run_partition
        fn partition(&#this) -> __pathway_io::Option<Self> {
            #copy(#this)
        }
    }
}

/// Returns the call of the user's `run`, with its result converted.
fn call_run(connector: &Connector, run: &Run, locals: &[Ident], this: &Ident) -> TokenStream {
    let arguments = run.parameters.iter().zip(locals).map(|(parameter, local)| {
        if run.single_subject().is_some() {
            return option::ident_at(local, option::mixed_site_at(parameter.ty.span())).into_token_stream();
        }
        // The span keeps rustc from repeating the error of a row type that does not implement `Schema`.
        let span = row_span(parameter);
        let handle = option::ident_at(local, option::mixed_site_at(span));
        quote_spanned!(span=> __pathway_io::SubjectHandle::subject(#handle))
    });
    let part = run
        .partition
        .map(|ty| option::ident_at(&partition_ident(), option::mixed_site_at(ty.span())).into_token_stream());
    let arguments = arguments.chain(part);
    let output = return_type(run);
    let (name, span) = (&run.method.sig.ident, option::mixed_site_at(output.span()));
    let call = quote_spanned!(span=> Self::#name(#this, #(#arguments),*));
    let call = if run.is_async { quote_spanned!(span=> #call.await) } else { call };
    let result = if can_be_named(&output) {
        quote!(__pathway_io::run_result::<Self, __PathwayIoReturned>(#call))
    } else {
        quote_spanned!(span=> __pathway_io::IntoRunResult::into_run_result(#call))
    };
    if run.is_async { async_run(connector, run, &result) } else { result }
}

/// Returns the expression that drives an `async fn run` to its end or to a stop.
fn async_run(connector: &Connector, run: &Run, result: &TokenStream) -> TokenStream {
    let drive = Ident::new("__drive", Span::mixed_site());
    let stop = connector.options.stop.get().and_then(duration);
    let stop = stop.unwrap_or_else(|| quote!(__pathway_io::Duration::ZERO));
    // The span keeps rustc from repeating the error of a row type that does not implement `Schema`.
    let first = option::ident_at(&subject_ident(0), option::mixed_site_at(row_span(&run.parameters[0])));
    quote! {
        let #drive = __pathway_io::tasks::Drive::new(&#first, #stop);
        __pathway_io::tasks::Drive::run(#drive, async move { #result })
    }
}

/// Returns a time as a `Duration`; `None` if it is off.
fn duration(time: &Time) -> Option<TokenStream> {
    match time {
        Time::Off => None,
        Time::Nanos(nanos) => Some(quote!(__pathway_io::Duration::from_nanos(#nanos))),
        Time::Other(expr) => Some(expr.to_token_stream()),
    }
}

fn partition_ident() -> Ident {
    Ident::new("__part", Span::mixed_site())
}

/// Returns the impls that check the types of `run`'s parameters and of its result.
pub fn type_checks(connector: &Connector, run: &Run) -> TokenStream {
    let self_ty = &connector.block.self_ty;
    let generics = bounded_generics(connector, run);
    let (generics, _, where_clause) = generics.split_for_impl();
    // rustc suggests new parameters of an impl. With the user's `impl`, it makes the same suggestion for each copy of a
    // type, and shows equal errors once.
    let impl_token = connector.block.impl_token;
    let impl_of = |name: TokenStream, items: TokenStream| {
        quote! {
            #[automatically_derived]
            #impl_token #generics __pathway_io::#name for #self_ty #where_clause { #items }
        }
    };
    let mut checks = TokenStream::new();
    let output = return_type(run);
    if can_be_named(&output) {
        // The enum keeps the impls of one use of the macro apart from those of another. It is private, so that the
        // error type of a public connector can be private.
        checks.extend(quote!(
            enum __PathwayIoReturned {}
        ));
        checks.extend(impl_of(quote!(Returns<__PathwayIoReturned>), quote!(type Output = #output;)));
    }
    if run.single_subject().is_some() {
        return checks;
    }
    // The enum is `pub` because the subjects of a public connector name it; `unreachable_pub` cannot see that.
    checks.extend(quote! {
        #[doc(hidden)]
        #[allow(unreachable_pub)]
        pub enum __PathwayIoSignature {}
    });
    for (i, parameter) in run.parameters.iter().enumerate() {
        if !parameter.may_be_subject() {
            continue;
        }
        let (span, ty) = (row_span(parameter), parameter.ty);
        let row = match parameter.kind {
            ParameterKind::Subject { schema, .. } => schema.to_token_stream(),
            _ => {
                let module = handle_module(parameter);
                quote_spanned!(span=> <#ty as #module::SubjectTypes>::Schema)
            }
        };
        let schema = quote_spanned!(span=> __pathway_io::IfSchema<#row, #row>);
        let subject = if_subject(parameter);
        let (written, table) = (offset_type(parameter), table_type(parameter));
        let offset_span = parameter.offset().map_or(span, Spanned::span);
        let offset = quote_spanned!(offset_span=> __pathway_io::IfOffset<#written, #written>);
        // rustc reports a private type of a public connector at these items.
        let mut types = quote_spanned!(option::mixed_site_at(span)=> type Schema = #schema;);
        types.extend(quote_spanned!(option::mixed_site_at(offset_span)=>
            type Written = #written;
            type Offset = #offset;
            type Subject = #subject;
        ));
        types.extend(quote_spanned!(option::mixed_site_at(span)=> type Table = #table;));
        // The lint mistakes generated tokens with the span of a user's type for the user's own.
        let allow = quote!(#[allow(unused_qualifications)]);
        let handle = impl_of(quote!(HandleOf<__PathwayIoSignature, #i>), types);
        checks.extend(quote!(#allow #handle));
        if i > 0 && matches!(parameter.kind, ParameterKind::Unknown) {
            let first = offset_type(&run.parameters[0]);
            let types = quote!(type First = #first; type Offset = #written;);
            let offset = impl_of(quote!(OffsetOf<__PathwayIoSignature, #i>), types);
            checks.extend(quote!(#allow #offset));
        }
    }
    checks
}

/// Returns the parameters of the block, with the bounds that `run` has, and with those that the trait requires. The
/// author of a generic connector need not write the latter.
fn bounded_generics(connector: &Connector, run: &Run) -> Generics {
    let mut generics = connector.block.generics.clone();
    let of_run = &run.method.sig.generics;
    // A `run` with parameters has been reported.
    if let Some(clause) = of_run.where_clause.as_ref().filter(|_| of_run.params.is_empty()) {
        generics.make_where_clause().predicates.extend(clause.predicates.clone());
    }
    if generics.type_params().next().is_some() {
        let self_ty = &connector.block.self_ty;
        generics.make_where_clause().predicates.push(parse_quote!(#self_ty: __pathway_io::Send + 'static));
    }
    generics
}

fn return_type(run: &Run) -> Type {
    match &run.method.sig.output {
        ReturnType::Default => parse_quote!(()),
        // The error has been reported. For `!`, rustc would report that it is not stable.
        ReturnType::Type(_, ty) if run.returns_future() || matches!(types::peel(ty), Type::Never(_)) => {
            parse_quote!(())
        }
        ReturnType::Type(_, ty) => (**ty).clone(),
    }
}

/// Returns whether an impl can name the result. rustc reports a `_` in it, and suggests the type.
fn can_be_named(output: &Type) -> bool {
    types::is_nameable(output) && !types::has_placeholder(output)
}

fn subject_ident(i: usize) -> Ident {
    format_ident!("__subject_{}", i, span = Span::mixed_site())
}

fn options(connector: &Connector) -> TokenStream {
    let options = &connector.options;
    let name = match options.name.get() {
        Some(name) => name.to_token_stream(),
        None => connector.type_name().into_token_stream(),
    };
    let autocommit = options.autocommit.get().map(|interval| {
        let interval = duration(interval).unwrap_or_else(|| quote!(__pathway_io::None));
        quote!(.autocommit(#interval))
    });
    let eager = options.eager.is_set().then(|| quote!(.eager(true)));
    let backlog = options.backlog.get().map(|rows| quote!(.backlog(#rows)));
    quote! {
        fn options() -> __pathway_io::ReadOptions {
            __pathway_io::ReadOptions::new().name(#name) #autocommit #eager #backlog
        }
    }
}
