//! Prints the source of an inferred struct.

use std::fmt;

use super::{Inferred, key, names, types};
use crate::rows::description::RESERVED;

pub(super) fn print(inferred: &Inferred, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let rows = inferred.rows;
    let plural = if rows == 1 { "row" } else { "rows" };
    f.write_str("use pathway_io::Schema;\n\n")?;
    match &inferred.sample {
        Some(sample) => {
            writeln!(f, "/// Inferred from the {rows} {plural} of `{}`.", sample.replace(char::is_control, " "))?
        }
        None => writeln!(f, "/// As in {rows} {plural} of a sample.")?,
    }
    f.write_str("#[derive(Schema)]\n")?;
    if let Some(sample) = &inferred.sample {
        writeln!(f, "#[schema(sample = {sample:?})]")?;
    }
    writeln!(f, "struct {} {{", inferred.name)?;
    let key = key::guess(inferred);
    if key.is_none() {
        f.write_str("    // no primary key: no column looks like one\n")?;
    }
    let is_output = is_output(inferred);
    if is_output {
        f.write_str("    // omitted: `time` and `diff`, which every output adds\n")?;
    }
    // No column can have the name `time` or `diff`, but an alias can.
    let is_reserved = |name: &str| RESERVED.contains(&name);
    let names: Vec<String> = inferred
        .columns
        .iter()
        .map(|column| if is_reserved(&column.name) { free(inferred, &column.name) } else { column.name.clone() })
        .collect();
    let fields = names::of_fields(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for (index, column) in inferred.columns.iter().enumerate() {
        let (column_name, field) = (&names[index], &fields[index]);
        if is_reserved(&column.name) && is_output {
            continue;
        }
        if column.name.is_empty() {
            f.write_str("    // omitted: a column without a name\n")?;
            continue;
        }
        let key = key.as_ref().filter(|key| key.index == index);
        if let Some(key) = key {
            writeln!(f, "    // {}", key.reason)?;
        }
        let summary = &column.summary;
        let typed = types::of_column(summary);
        let present = summary.count - summary.kinds.nulls;
        let is_optional = present < rows;
        if is_optional && present > 0 {
            writeln!(f, "    // in {present} of {rows} rows")?;
        }
        if let Some(remark) = &typed.remark {
            writeln!(f, "    // {remark}")?;
        }
        let mut options = Vec::new();
        if key.is_some() {
            options.push("primary_key".to_owned());
        }
        if field.trim_start_matches("r#") != *column_name {
            options.push(format!("rename = {column_name:?}"));
        }
        if is_reserved(&column.name) {
            options.push(format!("alias = {:?}", column.name));
        }
        if !options.is_empty() {
            writeln!(f, "    #[schema({})]", options.join(", "))?;
        }
        let ty = if is_optional { format!("Option<{}>", typed.ty) } else { typed.ty };
        writeln!(f, "    {field}: {ty},")?;
    }
    f.write_str("}\n")
}

/// Returns whether the sample was written by this library, or by Pathway.
fn is_output(inferred: &Inferred) -> bool {
    inferred.columns.len() > 2
        && RESERVED.iter().all(|name| {
            inferred.columns.iter().any(|column| {
                let kinds = &column.summary.kinds;
                let is_number = column.summary.count == inferred.rows && kinds.integers == inferred.rows;
                let is_diff = kinds.least.unsigned_abs() == 1 && kinds.most.unsigned_abs() == 1;
                column.name == *name && is_number && (*name != "diff" || is_diff)
            })
        })
}

/// Returns a name that begins with this one and that no column has.
fn free(inferred: &Inferred, name: &str) -> String {
    let mut free = format!("{name}_");
    while inferred.columns.iter().any(|column| column.name == free) {
        free.push('_');
    }
    free
}
