//! "Did you mean": the known name that is most similar to the written one.

/// Returns the help for an unknown name: the nearest known name, the option with the same effect, or all known names.
pub fn help(written: &str, known: &[&str]) -> String {
    if let Some(name) = nearest(written, known) {
        return format!("did you mean `{name}`?");
    }
    match ADVICE.iter().find(|(other, _)| *other == written.to_lowercase()) {
        Some((_, advice)) => (*advice).to_owned(),
        None => format!("expected one of {}", list(known, "or")),
    }
}

/// Names that other derives have for our options.
const SYNONYMS: [(&str, &str); 21] = [
    ("key", "primary_key"),
    ("pk", "primary_key"),
    ("id", "primary_key"),
    ("primary", "primary_key"),
    ("name", "rename"),
    ("column_name", "rename"),
    ("flat", "flatten"),
    ("interval", "autocommit"),
    ("buffer", "backlog"),
    ("deny_unknown_fields", "deny_unknown"),
    ("default_value", "default"),
    ("default_value_t", "default"),
    ("default_values_t", "default"),
    ("default_with", "default"),
    ("aliases", "alias"),
    ("ignore", "skip"),
    ("skip_serializing", "skip"),
    ("skip_deserializing", "skip"),
    ("from", "try_from"),
    ("serialize_with", "with"),
    ("deserialize_with", "with"),
];

/// Options of other derives, with the way to get their effect here.
const ADVICE: [(&str, &str); 18] = [
    ("primary_keys", "put `primary_key` on each column of the key"),
    ("keys", "put `primary_key` on each column of the key"),
    ("description", "a doc comment is the description"),
    ("doc", "a doc comment is the description"),
    ("comment", "a doc comment is the description"),
    ("nullable", "a column of type `Option<T>` may be null"),
    ("optional", "a column of type `Option<T>` may be null"),
    ("not_null", "only a column of type `Option<T>` may be null"),
    ("required", "a column is required unless it has a default or is an `Option`"),
    ("skip_serializing_if", "an output has every column of every row; a `None` is written as null"),
    ("restart", "set it in the `ReadOptions` of `Pipeline::read_with`"),
    ("bad_rows", "set it in the `ReadOptions` of `Pipeline::read_with`"),
    ("bad_rows_limit", "set it in the `ReadOptions` of `Pipeline::read_with`"),
    ("full_snapshot", "set it in the `ReadOptions` of `Pipeline::read_with`"),
    ("pointer", "`path = \"seller.name\"` reads a column inside of a field"),
    ("transparent", "`#[derive(ColumnType)]` makes a column type of a struct with one unnamed field"),
    ("tag", "`#[schema(json)]` makes a column of an enum that derives serde's traits"),
    ("untagged", "`#[schema(json)]` makes a column of an enum that derives serde's traits"),
];

/// Returns the known name that the user probably meant: a typing error or a habit from another derive.
pub fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let written = written.to_lowercase();
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == written).map(|(_, name)| *name);
    if let Some(name) = known.iter().find(|name| synonym == Some(**name)) {
        return Some(name);
    }
    known
        .iter()
        .map(|name| (distance(&written, name), *name))
        .filter(|(distance, name)| *distance <= name.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Returns the names in backquotes: `` `a`, `b` or `c` ``.
pub fn list(names: &[&str], before_last: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {before_last} {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Returns the edit distance: insertions, removals, replacements and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["primary_key", "default", "rename", "alias"];

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("primry_key", "primary_key"), 1);
        assert_eq!(distance("alais", "alias"), 1);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(nearest("primry_key", &KNOWN), Some("primary_key"));
        assert_eq!(nearest("Default", &KNOWN), Some("default"));
        assert_eq!(nearest("alais", &KNOWN), Some("alias"));
        assert_eq!(nearest("pk", &KNOWN), Some("primary_key"));
        assert_eq!(nearest("pk", &KNOWN[1..]), None);
        assert_eq!(nearest("index", &KNOWN), None);
    }

    #[test]
    fn far_names_get_the_list() {
        assert_eq!(help("index", &KNOWN[..2]), "expected one of `primary_key` or `default`");
        assert_eq!(list(&KNOWN, "or"), "`primary_key`, `default`, `rename` or `alias`");
        assert_eq!(list(&[], "or"), "");
    }
}
