//! Target `infer`: any sample yields an error or a struct. If the sample is JSON Lines, the inferred types read its
//! rows.

use crate::schema;

/// Infers a struct, and makes all checks that need no compiler.
pub fn infer(data: &[u8]) {
    let Ok(inferred) = schema::infer(data) else { return };
    let source = inferred.name("Row").sample("sample").to_string();
    assert!(source.ends_with("}\n"));
    let (head, fields) = source.split_once("struct Row {\n").unwrap_or_default();
    assert!(head.contains("#[schema(sample = \"sample\")]"));
    // Whatever the names are, each line must be a comment, an attribute or a field.
    let lines = fields.lines().filter(|line| *line != "}");
    let mut names: Vec<&str> = Vec::new();
    for line in lines {
        let line = line.trim_start();
        let is_attribute = line.starts_with("#[schema(") && line.ends_with(")]");
        if line.starts_with("//") || is_attribute {
            continue;
        }
        let (name, ty) = line.strip_suffix(',').and_then(|line| line.split_once(": ")).unwrap_or_default();
        let bare = name.strip_prefix("r#").unwrap_or(name);
        assert!(!bare.is_empty() && bare.chars().all(|c| c == '_' || c.is_alphanumeric()), "{line}");
        assert!(!ty.is_empty() && !names.contains(&bare), "{line}");
        names.push(bare);
    }
    assert!(!names.is_empty() || source.contains("// without"));
}
