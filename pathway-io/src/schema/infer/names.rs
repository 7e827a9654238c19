//! Rust names for arbitrary names.

use std::collections::{HashMap, HashSet};

/// The keywords. With `r#`, all but the last four can be the name of a field.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "crate", "self", "super", "Self",
];
const NEVER: [&str; 4] = ["crate", "self", "super", "Self"];

/// The names of types that occur in the struct.
const TYPES: [&str; 7] = ["Schema", "Option", "Vec", "String", "Self", "Some", "None"];

/// Returns a distinct field name for each column, which is the column's own name if possible.
pub(super) fn of_fields(columns: &[&str]) -> Vec<String> {
    let mut fields: Vec<String> = columns.iter().enumerate().map(|(index, name)| of_field(name, index)).collect();
    let mut taken = HashSet::new();
    // The number after the last one, for each stem.
    let mut counts: HashMap<String, usize> = HashMap::new();
    for is_own in [true, false] {
        for (field, _) in fields.iter_mut().zip(columns).filter(|(field, name)| (*field == **name) == is_own) {
            let stem = field.trim_end_matches('_').to_owned();
            while taken.contains(field) {
                let count = counts.entry(stem.clone()).or_insert(2);
                *field = format!("{stem}_{count}");
                *count += 1;
            }
            taken.insert(field.clone());
        }
    }
    for field in fields.iter_mut().filter(|field| KEYWORDS.contains(&field.as_str())) {
        field.insert_str(0, "r#");
    }
    fields
}

/// Returns a field name that is similar to the column's name.
fn of_field(column: &str, index: usize) -> String {
    let field = snake(column);
    if field.is_empty() {
        format!("column_{}", index + 1)
    } else if NEVER.contains(&field.as_str()) {
        format!("{field}_")
    } else {
        field
    }
}

/// Returns a name for the struct.
pub(super) fn of_struct(name: &str) -> String {
    let mut pascal = String::new();
    for word in snake(name).split('_').filter(|word| !word.is_empty()) {
        let mut chars = word.chars();
        pascal.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        pascal.push_str(chars.as_str());
    }
    if pascal.is_empty() || pascal.starts_with(|c: char| c.is_ascii_digit()) {
        pascal.insert_str(0, "Row");
    }
    if TYPES.contains(&pascal.as_str()) { format!("{pascal}Row") } else { pascal }
}

/// Returns the letters and digits of a name in `snake_case`; other characters separate words.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut before = ' ';
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        if !is_letter(c) && !c.is_ascii_digit() && c != '_' {
            before = ' ';
            if !snake.is_empty() && !snake.ends_with('_') {
                snake.push('_');
            }
            continue;
        }
        // `genusName` and `HTTPStatus` each consist of two words.
        let starts_word = c.is_uppercase()
            && (before.is_lowercase()
                || before.is_ascii_digit()
                || before.is_uppercase() && chars.peek().is_some_and(|next| next.is_lowercase()));
        if starts_word && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.extend(c.to_lowercase().filter(|c| is_letter(*c) || c.is_ascii()));
        before = c;
    }
    let trimmed = snake.trim_end_matches('_');
    match trimmed.chars().next() {
        None => String::new(),
        Some(first) if first.is_ascii_digit() => format!("_{trimmed}"),
        Some(_) => trimmed.to_owned(),
    }
}

/// Returns whether a letter may be anywhere in a Rust name.
fn is_letter(c: char) -> bool {
    let is_latin = ('\u{c0}'..='\u{17f}').contains(&c)
        && !matches!(c, '×' | '÷' | '\u{132}' | '\u{133}' | '\u{13f}' | '\u{140}' | '\u{149}' | '\u{17f}');
    c.is_ascii_alphabetic() || is_latin || ('α'..='ω').contains(&c) || ('А'..='я').contains(&c)
}
