//! The types of a `run`'s subjects and tables, as the expansion names them.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::ast::{Kind, Parameter, Run};
use crate::option;

/// Returns a type that distinguishes the impls of one use of the macro from those of another.
pub fn marker(name: &str) -> Ident {
    format_ident!("__PathwayIo{name}", span = Span::mixed_site())
}

/// Returns the type that the subjects of one `run` name.
pub fn signature() -> Ident {
    marker("Signature")
}

pub fn subjects_type(run: &Run, pw: &Ident) -> TokenStream {
    if let Some(parameter) = run.single_subject() {
        let pw = option::ident_at(pw, row_span(parameter));
        return if_subject(parameter, &pw.to_token_stream());
    }
    let span = unknown_span(&run.parameters);
    let (pw, signature) = (option::ident_at(pw, span), option::ident_at(&signature(), span));
    let handles = (0..run.parameters.len()).map(|i| quote_spanned!(span=> #pw::Handle<Self, #signature, #i>));
    tuple(span, handles)
}

/// Returns the type of the tables. A second mention of a private row would be a second error, so one of several tables
/// is the table of its handle, if the macro recognises the subject.
pub fn tables_type(run: &Run, pw: &Ident) -> TokenStream {
    let signature = signature();
    let tables = run.parameters.iter().enumerate().map(|(i, parameter)| match parameter.kind {
        Kind::Subject { .. } if run.single_subject().is_none() => {
            quote!(<Self as #pw::HandleOf<#signature, #i>>::Table)
        }
        _ => table_type(parameter, pw),
    });
    tuple(unknown_span(&run.parameters), tables)
}

/// Returns the elements as a tuple, or a single element without parentheses.
pub fn tuple(span: Span, elements: impl ExactSizeIterator<Item = TokenStream>) -> TokenStream {
    if elements.len() == 1 { quote!(#(#elements)*) } else { quote_spanned!(span=> (#(#elements),*)) }
}

/// Returns the type of a table with the schema as written, so that a use of the table causes no second error.
pub fn table_type(parameter: &Parameter, pw: &Ident) -> TokenStream {
    // With one span for all tokens, rustc shows equal errors once.
    let span = row_span(parameter);
    let (pw, ty) = (option::ident_at(pw, span), parameter.ty);
    match parameter.kind {
        Kind::Subject { schema, .. } => quote_spanned!(span=> #pw::Table<#schema>),
        _ => {
            let module = handle_module(parameter, &pw);
            quote_spanned!(span=> #module::TableOf<#ty>)
        }
    }
}

/// Returns the offset type as it is written.
pub fn offset_type(parameter: &Parameter, pw: &Ident) -> TokenStream {
    match parameter.kind {
        Kind::Subject { offset, .. } => offset.map_or_else(|| quote!(()), |offset| quote!(#pw::AsWritten<#offset>)),
        _ => {
            let ty = parameter.ty;
            let span = ty.span();
            let pw = option::ident_at(pw, span);
            let module = handle_module(parameter, &pw);
            quote_spanned!(span=> <#ty as #module::SubjectTypes>::Offset)
        }
    }
}

/// Returns the span for an error about the whole tuple: the parameter that only rustc can check.
fn unknown_span(parameters: &[Parameter]) -> Span {
    let unknown = parameters.iter().find(|parameter| matches!(parameter.kind, Kind::Unknown));
    unknown.map_or_else(Span::mixed_site, |parameter| parameter.ty.span())
}

/// Returns the span for the error that a parameter is not the subject of a schema. It is the span of the row type, if
/// the macro recognises that type.
pub fn row_span(parameter: &Parameter) -> Span {
    match parameter.kind {
        Kind::Subject { schema, .. } => schema.span(),
        _ => parameter.ty.span(),
    }
}

/// Returns the module with the names for the parameter's kind of handle.
pub fn handle_module(parameter: &Parameter, runtime: &impl ToTokens) -> TokenStream {
    let span = row_span(parameter);
    if parameter.is_async() { quote_spanned!(span=> #runtime::tasks) } else { runtime.to_token_stream() }
}

/// Returns the type of a parameter, if it is the subject of a schema. All added tokens have one span, because rustc
/// shows errors with the same text and span once.
pub fn if_subject(parameter: &Parameter, runtime: &TokenStream) -> TokenStream {
    let span = row_span(parameter);
    // The type keeps its own span, where rustc already shows the error for a name that is not in scope.
    let ty = parameter.ty;
    match parameter.kind {
        Kind::Subject { schema, offset: Some(_), .. } => quote_spanned!(span=> #runtime::IfSchema<#schema, #ty>),
        _ => {
            let module = handle_module(parameter, runtime);
            quote_spanned!(span=> #module::IfSubject<#ty>)
        }
    }
}

/// Returns `subject`, if the offset type is valid. An error is at the span.
pub fn if_offset(span: Span, offset: &impl ToTokens, ty: &impl ToTokens, runtime: &impl ToTokens) -> TokenStream {
    let runtime = runtime.to_token_stream().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    let runtime: TokenStream = runtime.collect();
    quote_spanned!(span=> #runtime::IfOffset<#offset, #ty>)
}
