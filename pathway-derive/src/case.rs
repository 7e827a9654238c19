//! The spellings of `rename_all`, which are the same as serde's.

/// A spelling of column names, converted from Rust's `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

/// The values of `rename_all`.
pub const NAMES: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, case)| *case)
    }

    pub fn apply(self, field: &str) -> String {
        match self {
            Case::Lower | Case::Snake => field.to_owned(),
            Case::Upper | Case::ScreamingSnake => field.to_ascii_uppercase(),
            Case::Pascal => pascal(field),
            Case::Camel => camel(&pascal(field)),
            Case::Kebab => field.replace('_', "-"),
            Case::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// Converts a variant's name, which is in `PascalCase`.
    pub fn apply_to_variant(self, variant: &str) -> String {
        match self {
            Case::Lower => variant.to_ascii_lowercase(),
            Case::Upper => variant.to_ascii_uppercase(),
            Case::Pascal => variant.to_owned(),
            Case::Camel => camel(variant),
            Case::Snake | Case::ScreamingSnake | Case::Kebab | Case::ScreamingKebab => self.apply(&snake(variant)),
        }
    }
}

fn snake(variant: &str) -> String {
    let mut name = String::with_capacity(variant.len());
    for (i, c) in variant.char_indices() {
        if i > 0 && c.is_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

fn camel(pascal: &str) -> String {
    let mut chars = pascal.chars();
    chars.next().map_or(String::new(), |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}

fn pascal(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    let mut capitalize = true;
    for c in field.chars() {
        if c == '_' {
            capitalize = true;
        } else if capitalize {
            name.push(c.to_ascii_uppercase());
            capitalize = false;
        } else {
            name.push(c);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_those_of_serde() {
        let spelt = |field: &str| NAMES.map(|(_, case)| case.apply(field)).join(" ");
        assert_eq!(
            spelt("very_tasty"),
            "very_tasty VERY_TASTY VeryTasty veryTasty very_tasty VERY_TASTY very-tasty VERY-TASTY"
        );
        assert_eq!(spelt("a"), "a A A a a A a A");
        assert_eq!(spelt("z42"), "z42 Z42 Z42 z42 z42 Z42 z42 Z42");
        assert_eq!(Case::Camel.apply("_"), "");
    }

    #[test]
    fn spellings_of_variants_are_those_of_serde() {
        let spelt = NAMES.map(|(_, case)| case.apply_to_variant("VeryTasty")).join(" ");
        assert_eq!(spelt, "verytasty VERYTASTY VeryTasty veryTasty very_tasty VERY_TASTY very-tasty VERY-TASTY");
    }

    #[test]
    fn unknown_spellings_are_none() {
        assert_eq!(Case::from_name("camelCase"), Some(Case::Camel));
        assert_eq!(Case::from_name("CamelCase"), None);
    }
}
