//! The types of a `run`'s subjects and tables, as the expansion names them.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::ast::{Parameter, ParameterKind, Run};

pub fn subjects_type(run: &Run) -> TokenStream {
    if let Some(parameter) = run.single_subject() {
        return if_subject(parameter);
    }
    let span = unknown_span(&run.parameters);
    let handles = (0..run.parameters.len())
        .map(|i| quote_spanned!(span=> __pathway_io::SubjectHandle<Self, __PathwayIoSignature, #i>));
    tuple(span, handles)
}

/// Returns the type of the tables. A second mention of a private row would be a second error, so one of several tables
/// is the table of its handle, if the macro recognises the subject.
pub fn tables_type(run: &Run) -> TokenStream {
    let tables = run.parameters.iter().enumerate().map(|(i, parameter)| match parameter.kind {
        ParameterKind::Subject { .. } if run.single_subject().is_none() => {
            quote!(<Self as __pathway_io::HandleOf<__PathwayIoSignature, #i>>::Table)
        }
        _ => table_type(parameter),
    });
    tuple(unknown_span(&run.parameters), tables)
}

/// Returns the elements as a tuple, or a single element without parentheses.
pub fn tuple(span: Span, elements: impl ExactSizeIterator<Item = TokenStream>) -> TokenStream {
    if elements.len() == 1 { quote!(#(#elements)*) } else { quote_spanned!(span=> (#(#elements),*)) }
}

/// Returns the type of a table with the schema as written, so that a use of the table causes no second error.
pub fn table_type(parameter: &Parameter) -> TokenStream {
    // With one span for all tokens, rustc shows equal errors once.
    let span = row_span(parameter);
    match parameter.kind {
        ParameterKind::Subject { schema, .. } => quote_spanned!(span=> __pathway_io::Table<#schema>),
        _ => {
            let (module, ty) = (handle_module(parameter), parameter.ty);
            quote_spanned!(span=> #module::TableOf<#ty>)
        }
    }
}

/// Returns the offset type as it is written.
pub fn offset_type(parameter: &Parameter) -> TokenStream {
    match parameter.kind {
        ParameterKind::Subject { offset: Some(offset), .. } => quote!(__pathway_io::AsWritten<#offset>),
        ParameterKind::Subject { offset: None, .. } => quote!(()),
        _ => {
            let (module, ty) = (handle_module(parameter), parameter.ty);
            quote_spanned!(ty.span()=> <#ty as #module::SubjectTypes>::Offset)
        }
    }
}

/// Returns the span for an error about the whole tuple: the parameter that only rustc can check.
fn unknown_span(parameters: &[Parameter]) -> Span {
    let unknown = parameters.iter().find(|parameter| matches!(parameter.kind, ParameterKind::Unknown));
    unknown.map_or_else(Span::mixed_site, |parameter| parameter.ty.span())
}

/// Returns the span for the error that a parameter is not the subject of a schema. It is the span of the row type, if
/// the macro recognises that type.
pub fn row_span(parameter: &Parameter) -> Span {
    match parameter.kind {
        ParameterKind::Subject { schema, .. } => schema.span(),
        _ => parameter.ty.span(),
    }
}

/// Returns the module with the names for the parameter's kind of handle.
pub fn handle_module(parameter: &Parameter) -> TokenStream {
    let span = row_span(parameter);
    if parameter.is_async() { quote_spanned!(span=> __pathway_io::tasks) } else { quote_spanned!(span=> __pathway_io) }
}

/// Returns the type of a parameter, if it is the subject of a schema. All added tokens have one span, because rustc
/// shows errors with the same text and span once.
pub fn if_subject(parameter: &Parameter) -> TokenStream {
    let span = row_span(parameter);
    // The type keeps its own span, where rustc already shows the error for a name that is not in scope.
    let ty = parameter.ty;
    match parameter.kind {
        ParameterKind::Subject { schema, offset: Some(_), .. } => {
            quote_spanned!(span=> __pathway_io::IfSchema<#schema, #ty>)
        }
        _ => {
            let module = handle_module(parameter);
            quote_spanned!(span=> #module::IfSubject<#ty>)
        }
    }
}
