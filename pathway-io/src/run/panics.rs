//! Catches panics of the user's code as text. Errors use it, too, because their causes are such code.

use std::any::Any;
use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `call`, and returns the text of its panic if it panics.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(message)
}

/// Returns the text of a panic.
pub(crate) fn message(payload: Box<dyn Any + Send>) -> String {
    let message = if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "(no text)".to_owned()
    };
    // A payload can have any type, and its `Drop` can panic. The payload of that panic is forgotten.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    message
}

/// Returns the text of an error, whose `Display` can panic.
pub(crate) fn text_of(error: &(dyn StdError + 'static)) -> String {
    caught(|| error.to_string()).unwrap_or_else(|message| format!("(the text of the error panicked: {message})"))
}

/// Returns the text of an error and of its causes, in one line.
pub(crate) fn text_with_causes(error: &(dyn StdError + 'static)) -> String {
    let causes = texts_of_causes(error).into_iter();
    causes.fold(text_of(error), |text, cause| format!("{text}: {cause}"))
}

/// Returns the texts of an error's causes, except those that the text before them ends with: many errors end with their
/// cause, and then perhaps with a line of help.
pub(crate) fn texts_of_causes(error: &(dyn StdError + 'static)) -> Vec<String> {
    let (mut texts, mut before, mut last) = (Vec::new(), text_of(error), error);
    loop {
        let cause = match source_of(last) {
            Ok(Some(cause)) => cause,
            Ok(None) => return texts,
            Err(message) => {
                texts.push(format!("(the source of the error panicked: {message})"));
                return texts;
            }
        };
        let text = text_of(cause);
        let sentence = before.split_once("\nhelp:").map_or(&*before, |(sentence, _)| sentence);
        if !before.ends_with(&text) && !sentence.ends_with(&text) {
            texts.push(text.clone());
        }
        (before, last) = (text, cause);
    }
}

/// Returns the cause of an error.
///
/// # Errors
///
/// Returns the text of the panic if `source` panics.
fn source_of<'e>(error: &'e (dyn StdError + 'static)) -> Result<Option<&'e (dyn StdError + 'static)>, String> {
    caught(|| error.source())
}

/// Returns an error and its causes. An error whose `source` panics has no further causes.
pub(crate) fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| source_of(*error).unwrap_or(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Bomb);
        }
    }

    #[test]
    fn a_payload_whose_drop_panics_is_caught() {
        assert_eq!(caught(|| -> () { std::panic::panic_any(Bomb) }), Err("(no text)".to_owned()));
        assert_eq!(caught(|| drop(Bomb)), Err("(no text)".to_owned()));
        assert_eq!(caught(|| -> () { panic!("no {}", 7) }), Err("no 7".to_owned()));
    }
}
