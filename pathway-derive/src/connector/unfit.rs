//! Types of subjects that no impl can name, or with which no body compiles, as far as their tokens show it.

use syn::{GenericArgument, GenericParam, Generics, Ident, PathArguments, Type};

use super::ast::{ASYNC, Handle, Parameter, ParameterKind, Run, is_misspelt};
use crate::ctxt::Ctxt;
use crate::{generics, types};

/// Why a type is unfit.
pub enum Unfit<'a> {
    /// The type is a reference, has an elided lifetime, or is an `impl Trait`.
    Borrowed(&'a Type),
    /// The type has a part that is reported elsewhere: a `_` or a lifetime, by rustc, or a parameter of `run` itself.
    Reported,
    /// The type is unsized, such as a `dyn Schema`.
    Unsized { ty: &'a Type, help: String },
    /// The type is one of the standard library, such as a `Vec<Cat>`. The help says what a row is.
    NoRow { ty: &'a Type, help: String },
    /// A type parameter of the block has no bounds. It probably needs this trait of the runtime.
    Unbound { name: &'a Ident, bound: &'static str },
}

/// The help for a type that borrows, and for the type behind a reference.
const OWNED: &str = "own the value, as a `String` for a `&str`";
/// The help for a subject whose rows could have several types.
const ONE_ROW_TYPE: &str = "a table has one row type: name it, or put a type parameter on the `impl` block";

impl Unfit<'_> {
    pub fn report(&self, ctxt: &Ctxt) {
        match self {
            Unfit::Borrowed(ty) => {
                let help = match types::peel(ty) {
                    Type::Reference(reference) if !types::is_unsized(&reference.elem) => {
                        format!("write `{}`", types::text(&reference.elem))
                    }
                    _ => OWNED.to_owned(),
                };
                ctxt.error(ty, format!("rows and offsets cannot borrow\nhelp: {help}"));
            }
            Unfit::Reported => {}
            Unfit::Unsized { ty, help } => {
                let message = format!("rows and offsets need a known size, which `{}` does not have", types::text(ty));
                ctxt.error(ty, format!("{message}\nhelp: {help}"));
            }
            Unfit::NoRow { ty, help } => {
                ctxt.error(ty, format!("`{}` is not a schema\nhelp: {help}", types::text(ty)));
            }
            Unfit::Unbound { name, bound } => {
                let message = format!("the parameter `{name}` of the block needs a bound");
                ctxt.error(name, format!("{message}\nhelp: write `{name}: pathway_io::{bound}`"));
            }
        }
    }
}

/// Returns whether an impl can name the types of the subjects, and the body compiles with them.
pub fn is_fit(run: &Run, generics: &Generics) -> bool {
    let fits = |parameter: &Parameter| {
        let is_of_run = parameter.handle().is_none_or(|handle| handle == Handle::of_run(run.is_async));
        is_of_run && of(parameter, generics).is_empty()
    };
    let names: Vec<&Ident> = run.parameters.iter().filter_map(|parameter| parameter.name).collect();
    let is_repeated = |(i, name): (usize, &&Ident)| names[..i].contains(name);
    !names.iter().enumerate().any(is_repeated)
        && run.parameters.iter().all(fits)
        && run.other_offsets().is_empty()
        && !run.has_unsized_error()
        // Without the feature there is one kind of handle only.
        && (!run.is_async || ASYNC)
}

/// Returns the reasons why the types of the row and of the offset are unfit. There are none if both are fit.
pub fn of<'a>(parameter: &Parameter<'a>, generics: &'a Generics) -> Vec<Unfit<'a>> {
    let misspelt = |ty| Unfit::Unsized { ty, help: ONE_ROW_TYPE.to_owned() };
    let types: Vec<(&Type, &str)> = match parameter.kind {
        ParameterKind::Subject { handle, schema, .. }
            if !types::is_unsized(schema)
                && let Some(help) = help_for_row(handle, schema) =>
        {
            return vec![Unfit::NoRow { ty: schema, help }];
        }
        ParameterKind::Subject { schema, offset, .. } => {
            let is_parameter = generics.type_params().any(|parameter| types::is_itself(schema, &parameter.ident));
            let bound = if is_parameter { "Schema" } else { "ColumnType" };
            [(schema, bound)].into_iter().chain(offset.map(|offset| (offset, "Offset"))).collect()
        }
        ParameterKind::Unknown if has_lifetime(parameter.ty) => return vec![Unfit::Reported],
        ParameterKind::Unknown => vec![(parameter.ty, "Schema")],
        // rustc would take the trait of that name for the type.
        ParameterKind::NoSubject if is_misspelt(parameter.ty) => return vec![misspelt(parameter.ty)],
        ParameterKind::Reference(reference) if is_misspelt(&reference.elem) => return vec![misspelt(&reference.elem)],
        ParameterKind::Reference(_) | ParameterKind::NoSubject => return Vec::new(),
    };
    let mut unfit = Vec::new();
    for (ty, bound) in types {
        let of_run = parameter.method.generics.params.iter().any(|parameter| types::mentions(ty, name_of(parameter)));
        let is_reference = matches!(types::peel(ty), Type::Reference(_));
        if !of_run && (is_reference || !types::is_nameable(ty)) {
            unfit.push(Unfit::Borrowed(ty));
        } else if of_run || types::has_placeholder(ty) {
            unfit.push(Unfit::Reported);
        }
        if types::is_unsized(ty) || matches!(types::peel(ty), Type::TraitObject(_)) {
            let of_row = || parameter.handle().and_then(|handle| help_for_row(handle, ty));
            let help = if bound == "Offset" { Some(OWNED.to_owned()) } else { of_row() };
            unfit.push(Unfit::Unsized { ty, help: help.unwrap_or_else(|| ONE_ROW_TYPE.to_owned()) });
        }
        let names = generics.type_params().map(|parameter| &parameter.ident);
        let unbound = names.filter(|name| types::mentions(ty, name) && generics::count_bounds(generics, name) == 0);
        unfit.extend(unbound.map(|name| Unfit::Unbound { name, bound }));
    }
    unfit
}

/// Returns the help for a type of the standard library that users write by mistake for the type of a row.
fn help_for_row(kind: Handle, ty: &Type) -> Option<String> {
    const MAPS: [&str; 2] = ["HashMap", "BTreeMap"];
    const HOLDERS: [&str; 5] = ["Vec", "Option", "Box", "Rc", "Arc"];
    let handle = kind.name();
    let ready_made = |row: &str| format!("write `{handle}<pathway_io::{row}>`, or a struct with `#[derive(Schema)]`");
    let one_row = |row: &Type| format!("a subject takes the type of one row: write `{handle}<{}>`", types::text(row));
    match types::peel(ty) {
        _ if types::is_written(ty, &["String", "str"]) => return Some(ready_made("TextRow")),
        Type::Slice(slice) if types::is_written(&slice.elem, &["u8"]) => return Some(ready_made("BytesRow")),
        Type::Slice(slice) => return Some(one_row(&slice.elem)),
        Type::Reference(reference) if types::is_unsized(&reference.elem) => {
            return help_for_row(kind, &reference.elem);
        }
        _ => {}
    }
    if types::is_primitive(ty) || matches!(types::peel(ty), Type::Tuple(_) | Type::Array(_)) {
        return Some("a row is a struct with `#[derive(Schema)]`, and its fields are the columns".to_owned());
    }
    let is_map = types::last_segment(ty).is_some_and(|segment| MAPS.iter().any(|name| segment.ident == name));
    if is_map || types::text(ty) == "serde_json::Value" {
        return Some("write a struct with `#[derive(Schema)]` that has a column of this type".to_owned());
    }
    let holder = types::last_segment(ty).filter(|segment| HOLDERS.iter().any(|name| segment.ident == name))?;
    match types::type_arguments(holder).as_slice() {
        [row] if types::is_written(row, &["u8"]) => Some(ready_made("BytesRow")),
        [row] if matches!(types::peel(row), Type::TraitObject(_)) => Some(ONE_ROW_TYPE.to_owned()),
        [row] => Some(one_row(row)),
        _ => None,
    }
}

/// Returns whether the type is written `Subject<'_, Cat>`, whose lifetime rustc reports.
fn has_lifetime(ty: &Type) -> bool {
    let subject = types::last_segment(ty).filter(|segment| Handle::named(&segment.ident).is_some());
    match subject.map(|segment| &segment.arguments) {
        Some(PathArguments::AngleBracketed(arguments)) => {
            arguments.args.iter().any(|argument| matches!(argument, GenericArgument::Lifetime(_)))
        }
        _ => false,
    }
}

fn name_of(parameter: &GenericParam) -> &Ident {
    match parameter {
        GenericParam::Lifetime(parameter) => &parameter.lifetime.ident,
        GenericParam::Type(parameter) => &parameter.ident,
        GenericParam::Const(parameter) => &parameter.ident,
    }
}
