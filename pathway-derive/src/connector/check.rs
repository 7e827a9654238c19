//! Checks the form of `run` and `on_stop`. rustc checks their types, because only rustc knows aliases.

use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, FnArg, Generics, ImplItemFn, Lit, Receiver, ReceiverKind, ReturnType, Safety, Type,
};

use super::ast::{ASYNC, Connector, Handle, Parameter, ParameterKind, Run, is_partition};
use super::attr::Time;
use super::unfit;
use crate::ctxt::Ctxt;
use crate::{option, types};

/// The maximum number of tables that a connector can have.
const MOST_SUBJECTS: usize = 8;

pub fn options(ctxt: &Ctxt, connector: &Connector) {
    let options = &connector.options;
    if let Some(backlog) = options.backlog.get()
        && let Expr::Lit(ExprLit { lit: Lit::Int(rows), .. }) = option::peel(backlog)
        && rows.base10_digits() == "0"
    {
        ctxt.error(backlog, "a backlog holds at least 1 row");
    }
    if let (Some(eager), Some(Time::Off)) = (options.eager.key(), options.autocommit.get()) {
        ctxt.error(eager, "`eager` has no effect with `autocommit = off`\nhelp: remove one of the two");
    }
    // A missing `run` is reported elsewhere.
    let is_blocking = !connector.runs.is_empty() && connector.runs.iter().all(|run| !run.is_async);
    if let Some(stop) = options.stop.key().filter(|_| is_blocking) {
        ctxt.error(
            stop,
            "`stop` is the time that an `async fn run` has after a stop\n\
             note: a `run` that is not async ends when it returns\n\
             help: remove it, or make `run` an `async fn`",
        );
    }
}

/// Returns whether the attribute changes an `async fn` in a way that no connector allows. The block is emitted without
/// it.
pub fn is_of_another_runtime(attribute: &Attribute) -> bool {
    const NAMES: [&str; 4] = ["async_trait", "async_trait::async_trait", "tokio::main", "tokio::test"];
    NAMES.contains(&types::text(attribute.path()).as_str())
}

/// Reports attributes of another runtime.
pub fn attributes(ctxt: &Ctxt, attributes: &[Attribute]) {
    for attribute in attributes.iter().filter(|attribute| is_of_another_runtime(attribute)) {
        let name = types::text(attribute.path());
        let note = "the library itself runs an `async fn run`, on the connector's own thread";
        ctxt.error(attribute, format!("a connector cannot have `#[{name}]`\nnote: {note}\nhelp: remove the attribute"));
    }
}

/// Reports the borrows of a connector. Returns whether there are none.
pub fn lifetimes(ctxt: &Ctxt, connector: &Connector) -> bool {
    let borrowed = connector.borrowed_at();
    for place in &borrowed {
        ctxt.error_at(
            *place,
            "a connector cannot borrow: it moves to its own thread\n\
             help: own the value, as a `String` for a `&str`, or share it in an `Arc`",
        );
    }
    borrowed.is_empty()
}

/// Reports the mistakes in a `run`. Returns whether its impl can be emitted nevertheless.
pub fn run(ctxt: &Ctxt, run: &Run, generics: &Generics) -> bool {
    if run.is_async && !ASYNC {
        ctxt.error(
            run.method.sig.asyncness,
            "an `async fn run` needs the feature `tokio` of pathway-io\n\
             help: run `cargo add pathway-io --features tokio`",
        );
        return false;
    }
    if !check_result(ctxt, run) {
        return false;
    }
    let mut is_sound = check_qualifiers(ctxt, run.method, "run");
    is_sound &= check_receiver(ctxt, run.method, "`run` must take `&mut self`");
    is_sound &= check_cfg(ctxt, run.method);
    is_sound &= check_subjects(ctxt, run, generics);
    if is_sound {
        attributes(ctxt, &run.method.attrs);
    }
    is_sound
}

fn check_result(ctxt: &Ctxt, run: &Run) -> bool {
    let ReturnType::Type(_, ty) = &run.method.sig.output else { return true };
    match types::peel(ty) {
        _ if run.returns_future() => {
            ctxt.error(ty, "`run` cannot return a future\nhelp: write `async fn run` with an `AsyncSubject`");
            false
        }
        Type::Never(_) => {
            let help = "write `pathway_io::RunResult`, and `?` after each push, which ends the loop after a stop";
            ctxt.error(ty, format!("`run` must return `()` or `Result<(), E>`, found `!`\nhelp: {help}"));
            false
        }
        _ => !run.has_unsized_error(),
    }
}

fn check_qualifiers(ctxt: &Ctxt, method: &ImplItemFn, name: &str) -> bool {
    let sig = &method.sig;
    let mut is_sound = true;
    let mut refuse = |tokens: &dyn ToTokens, what: &str, help: &str| {
        ctxt.error(tokens, format!("`{name}` cannot be {what}\nhelp: {help}"));
        is_sound = false;
    };
    if let Some(token) = sig.constness.as_ref().filter(|_| name == "run") {
        refuse(token, "`const`", "remove `const`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        refuse(token, "`unsafe`", "use `unsafe { .. }` inside it");
    }
    if let Some(abi) = &sig.abi {
        refuse(abi, "`extern`", &format!("remove `{}`", types::text(abi)));
    }
    if !sig.generics.params.is_empty() {
        let are_lifetimes = sig.generics.lifetimes().count() == sig.generics.params.len();
        let help = if are_lifetimes { "remove the lifetimes" } else { "put the parameters on the `impl` block" };
        refuse(&sig.generics, "generic", help);
    }
    is_sound
}

fn check_receiver(ctxt: &Ctxt, method: &ImplItemFn, message: &str) -> bool {
    match method.sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) if is_mut_self(receiver) => true,
        Some(FnArg::Receiver(receiver)) => {
            ctxt.error(receiver, message);
            false
        }
        _ => {
            ctxt.error_at(method.sig.paren_token.span.join(), message);
            false
        }
    }
}

/// Reports a parameter that `#[cfg]` may remove, since the macro cannot see whether it does.
fn check_cfg(ctxt: &Ctxt, method: &ImplItemFn) -> bool {
    let attributes = method.sig.inputs.iter().flat_map(|input| match input {
        FnArg::Receiver(receiver) => &receiver.attrs,
        FnArg::Typed(typed) => &typed.attrs,
    });
    let cfg = attributes.into_iter().find(|attribute| attribute.path().is_ident("cfg"));
    if let Some(cfg) = cfg {
        let help = "write two `run` methods, with the `#[cfg]` on each";
        ctxt.error(cfg, format!("`#[cfg]` cannot remove a parameter of `run`\nhelp: {help}"));
    }
    cfg.is_none()
}

/// Returns whether the receiver is `&mut self` or `self: &mut Self`.
fn is_mut_self(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Reference(_, lifetime, mutability) => {
            mutability.is_some() && lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static")
        }
        ReceiverKind::Typed(_, ty) => match types::peel(ty) {
            Type::Reference(reference) => {
                reference.mutability.is_some()
                    && types::last_segment(&reference.elem).is_some_and(|segment| segment.ident == "Self")
            }
            _ => false,
        },
        _ => false,
    }
}

fn check_subjects(ctxt: &Ctxt, run: &Run, generics: &Generics) -> bool {
    let sig = &run.method.sig;
    if run.parameters.is_empty() && matches!(sig.inputs.first(), Some(FnArg::Receiver(_))) {
        ctxt.error_at(
            sig.paren_token.span.join(),
            format!(
                "`run` takes a subject for each table\nhelp: `{}fn run(&mut self, cats: {}<Cat>)`",
                if run.is_async { "async " } else { "" },
                Handle::of_run(run.is_async).name()
            ),
        );
        return false;
    }
    if let Some(extra) = run.parameters.get(MOST_SUBJECTS) {
        ctxt.error(extra.ty, format!("a connector feeds at most {MOST_SUBJECTS} tables"));
        return false;
    }
    let mut is_sound = !run.parameters.is_empty();
    for parameter in &run.parameters {
        is_sound &= check_subject(ctxt, parameter) && {
            let unfit = unfit::of(parameter, generics);
            unfit.iter().for_each(|unfit| unfit.report(ctxt));
            unfit.is_empty()
        };
    }
    is_sound && check_same_offset(ctxt, run)
}

fn check_subject(ctxt: &Ctxt, parameter: &Parameter) -> bool {
    if is_partition(parameter.ty) {
        let message = "the partition is the last parameter of `run`\nhelp: move it after the subjects";
        ctxt.error(parameter.ty, message);
        return false;
    }
    if types::has_ident(parameter.ty, "impl") {
        ctxt.error(
            parameter.ty,
            format!(
                "a table has one row type, and `{}` does not name it\n\
                 help: put a type parameter on the `impl` block",
                types::text(parameter.ty)
            ),
        );
        return false;
    }
    let expected = Handle::of_run(parameter.is_async());
    match parameter.kind {
        ParameterKind::Reference(reference) => {
            let name = parameter.name.map_or("cats".to_owned(), ToString::to_string);
            let ty = types::text(&reference.elem);
            if parameter.handle() == Some(expected) {
                ctxt.error(
                    reference.and_token,
                    format!("`run` owns its subjects\nhelp: `{name}: {ty}`; pass clones to threads and callbacks"),
                );
            } else if is_partition(&reference.elem) {
                ctxt.error(reference.and_token, format!("`run` owns its partition\nhelp: `{name}: {ty}`"));
            } else {
                report_no_subject(ctxt, parameter);
            }
            false
        }
        ParameterKind::NoSubject => {
            report_no_subject(ctxt, parameter);
            false
        }
        ParameterKind::Subject { handle, .. } if handle != expected => {
            report_other_handle(ctxt, parameter, expected);
            false
        }
        ParameterKind::Subject { .. } | ParameterKind::Unknown => true,
    }
}

/// Reports a handle that belongs to the other kind of `run`.
fn report_other_handle(ctxt: &Ctxt, parameter: &Parameter, expected: Handle) {
    let written = types::text(parameter.ty);
    let other = if parameter.is_async() { Handle::Blocking } else { Handle::Async };
    let right = written.replacen(other.name(), expected.name(), 1);
    let message = if parameter.is_async() {
        format!(
            "an `async fn run` takes an `AsyncSubject`, found `{written}`\n\
             note: a push into a `Subject` blocks the thread, and with it the runtime\n\
             help: write `{right}`"
        )
    } else {
        format!(
            "a `run` that is not async takes a `Subject`, found `{written}`\n\
             help: write `{right}`, or make it an `async fn run`"
        )
    };
    ctxt.error(parameter.ty, message);
}

fn report_no_subject(ctxt: &Ctxt, parameter: &Parameter) {
    let (a, run) = if parameter.is_async() { ("an", "an `async fn run`") } else { ("a", "`run`") };
    let handle = Handle::of_run(parameter.is_async()).name();
    let found = types::text(parameter.ty);
    ctxt.error(
        parameter.ty,
        format!(
            "expected {a} `{handle}<_>`, found `{found}`\nnote: {run} takes one `{handle}<_>` for each table that it feeds"
        ),
    );
}

/// Compares the offset types of the subjects, as far as they are written out.
fn check_same_offset(ctxt: &Ctxt, run: &Run) -> bool {
    let others = run.other_offsets();
    for (other, first) in &others {
        let message = format!("the subjects of one connector share one offset\nhelp: the first one's is `{first}`");
        ctxt.error(other.offset().unwrap_or(other.ty), message);
    }
    others.is_empty()
}

/// Checks an `on_stop` method; returns whether it can be called.
pub fn on_stop(ctxt: &Ctxt, connector: &Connector, method: &ImplItemFn) -> bool {
    let message = "`on_stop` takes only `&mut self`";
    let mut is_sound = check_qualifiers(ctxt, method, "on_stop");
    if let Some(token) = &method.sig.asyncness
        && !connector.runs.iter().any(|run| run.is_async)
    {
        ctxt.error(
            token,
            "`on_stop` can only be `async` beside an `async fn run`\n\
             note: it runs on the connector's own thread and may block\n\
             help: remove `async`",
        );
        is_sound = false;
    }
    is_sound &= check_receiver(ctxt, method, message);
    let others = method.sig.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_)));
    if is_sound {
        for parameter in others {
            ctxt.error(parameter, message);
            is_sound = false;
        }
    }
    if let ReturnType::Type(_, ty) = &method.sig.output
        && !matches!(types::peel(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
    {
        ctxt.error(ty, "`on_stop` returns nothing\nhelp: log a failure, or report it from `run`");
        is_sound = false;
    }
    attributes(ctxt, &method.attrs);
    is_sound
}
