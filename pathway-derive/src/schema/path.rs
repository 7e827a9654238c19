//! `path = "seller.name"`: the steps to a value inside a row's JSON.

use std::fmt;

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use crate::ctxt::Ctxt;
use crate::option::{self, RawOption};

/// A path of at least two steps, the first of which is a field.
pub struct Path {
    pub literal: LitStr,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Field(String),
    Item(usize),
}

impl fmt::Display for Step {
    /// Writes the step as it follows another one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Field(name) => write!(f, ".{name}"),
            Step::Item(index) => write!(f, "[{index}]"),
        }
    }
}

/// Parses the value of the option.
pub fn read(ctxt: &Ctxt, option: &RawOption) -> Option<Path> {
    let literal = option::string(ctxt, option)?;
    let text = literal.value();
    match parse(&text) {
        Ok(steps) if matches!(&steps[..], [Step::Field(root), Step::Field(_), ..] if root == "$") => {
            let help = format!("write `path = {:?}`", text.trim_start_matches("$."));
            ctxt.error(&literal, format!("a path begins in a field of the row, not with `$`\nhelp: {help}"));
            None
        }
        Ok(steps) if steps.len() > 1 => Some(Path { literal, steps }),
        Ok(_) => {
            let dotted = text.trim_matches('/').replace('/', ".");
            let help = if dotted.contains('.') {
                format!("write `path = {dotted:?}`")
            } else {
                format!("`alias = {text:?}` reads a field of the row by another name, and `rename` names the column")
            };
            ctxt.error(&literal, format!("a path leads into a field, as `seller.name` does\nhelp: {help}"));
            None
        }
        Err(fault) => {
            // Stable rustc cannot underline a part of a literal.
            let caret = " ".repeat(text[..fault.at].chars().count());
            ctxt.error(&literal, format!("{}\n    {text}\n    {caret}^", fault.reason));
            None
        }
    }
}

/// An error in a path, with its position in bytes.
#[derive(Debug, PartialEq)]
struct PathFault {
    at: usize,
    reason: &'static str,
}

fn parse(text: &str) -> Result<Vec<Step>, PathFault> {
    let (mut steps, mut at) = (Vec::new(), 0);
    loop {
        let rest = &text[at..];
        let name = &rest[..rest.find(['.', '[', ']']).unwrap_or(rest.len())];
        if let Some(space) = name.find(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(PathFault { at: at + space, reason: "a path has no spaces" });
        }
        if name.is_empty() {
            return Err(PathFault { at, reason: "expected the name of a field in the path" });
        }
        steps.push(Step::Field(name.to_owned()));
        at += name.len();
        while text[at..].starts_with('[') {
            at += 1;
            let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
            let Ok(index) = text[at..at + digits].parse() else {
                return Err(PathFault { at, reason: "expected the number of an item, from 0, in the path" });
            };
            at += digits;
            if !text[at..].starts_with(']') {
                return Err(PathFault { at, reason: "expected `]` in the path" });
            }
            at += 1;
            steps.push(Step::Item(index));
        }
        match text[at..].chars().next() {
            None => return Ok(steps),
            Some('.') => at += 1,
            Some(_) => return Err(PathFault { at, reason: "expected `.`, `[` or the end of the path" }),
        }
    }
}

impl Path {
    pub fn root(&self) -> &str {
        match &self.steps[0] {
            Step::Field(root) => root,
            Step::Item(_) => "",
        }
    }

    /// Returns whether one path begins with the other, so that both read one value.
    pub fn overlaps(&self, other: &Path) -> bool {
        self.steps.iter().zip(&other.steps).all(|(a, b)| a == b)
    }

    /// Returns the steps as a constant for the runtime.
    pub fn tokens(&self) -> TokenStream {
        let steps = self.steps.iter().map(|step| match step {
            Step::Field(name) => quote!(__pathway_io::PathStep::Field(#name)),
            Step::Item(index) => quote!(__pathway_io::PathStep::Item(#index)),
        });
        quote!(&[#(#steps),*])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> Step {
        Step::Field(name.to_owned())
    }

    #[test]
    fn paths_are_names_and_numbers() {
        assert_eq!(parse("seller.name"), Ok(vec![field("seller"), field("name")]));
        assert_eq!(parse("a[0].b"), Ok(vec![field("a"), Step::Item(0), field("b")]));
        assert_eq!(parse("a[1][20]"), Ok(vec![field("a"), Step::Item(1), Step::Item(20)]));
        assert_eq!(parse("größe.in-cm.@x"), Ok(vec![field("größe"), field("in-cm"), field("@x")]));
        assert_eq!(parse("a"), Ok(vec![field("a")]));
    }

    #[test]
    fn a_fault_is_at_its_character() {
        for (path, at) in [
            ("", 0),
            (".a", 0),
            ("a.", 2),
            ("a..b", 2),
            ("[0].a", 0),
            ("a[b]", 2),
            ("a[]", 2),
            ("a[1", 3),
            ("a[-1]", 2),
            ("a[0]b", 4),
            ("a]", 1),
            ("a. b", 2),
            ("a.b c", 3),
            ("a[99999999999999999999]", 2),
        ] {
            assert_eq!(parse(path).map_err(|fault| fault.at), Err(at), "{path}");
        }
    }
}
