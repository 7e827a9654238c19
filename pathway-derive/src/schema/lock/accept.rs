//! `PATHWAY_LOCK=update`: the lock is written as the struct now is.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use syn::LitStr;
use syn::ext::IdentExt;

use super::guess::Source;
use super::text_form;
use crate::files::lock::{Column, Entry, Lock};
use crate::schema::ast::Schema;
use crate::types::text;

/// Writes the lock, unless it is as it should be.
///
/// # Errors
///
/// If the file cannot be written. It is then as it was.
pub fn accept(schema: &Schema, place: &Path, old: Option<&Lock>, literal: &LitStr) -> io::Result<Lock> {
    let is_told = |column: &super::super::ast::Column| column.is_flat() || text_form::data_type(column).is_some();
    // read only where something has to be looked up
    let source = (!schema.columns.iter().all(is_told)).then(|| Source::read(literal));
    let lock = lock_of(schema, old, source.as_ref());
    let text = lock.print();
    if fs::read_to_string(place).ok().as_deref() != Some(text.as_str()) {
        replace(place, text.as_bytes())?;
    }
    Ok(lock)
}

/// Returns the schema as a lock has it.
pub fn lock_of(schema: &Schema, old: Option<&Lock>, source: Option<&Source>) -> Lock {
    let entries = schema.columns.iter().map(|column| {
        if column.is_flat() {
            let field = column.ident.unraw().to_string();
            return Entry::Flatten { ty: text(column.ty), field, primary_key: column.is_key() };
        }
        // the type of a converted field is not that of its column
        let guess = || source.filter(|_| column.conversion().is_none()).and_then(|source| source.guess(column.ty));
        let data_type = text_form::data_type(column).or_else(guess);
        // the last resort is what it was, which the compiler then confirms or not
        let (data_type, optional) = match (data_type, old.and_then(|old| old.column(&column.name))) {
            (Some((data_type, optional)), _) => (Some(data_type), optional),
            (None, Some(old)) => (old.data_type.clone(), old.optional),
            (None, None) => (None, false),
        };
        Entry::Column(Column {
            name: column.name.clone(),
            data_type,
            optional,
            primary_key: column.is_key(),
            has_default: column.default().is_some(),
            aliases: column.options.aliases.iter().map(LitStr::value).collect(),
            description: column.description.clone(),
        })
    });
    Lock {
        name: schema.ident.unraw().to_string(),
        append_only: schema.options.append_only.is_set(),
        deny_unknown: schema.options.deny_unknown.is_set(),
        entries: entries.collect(),
    }
}

/// Puts a file in the place of another, at once: whoever reads it finds the one or the other whole.
pub fn replace(place: &Path, bytes: &[u8]) -> io::Result<()> {
    // cargo may compile a crate several times over at one time
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = place.file_name().ok_or_else(|| io::Error::other("it has no file name"))?.to_string_lossy();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = place.with_file_name(format!(".{name}.{}-{count}.new", process::id()));
    let written = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, place));
    if written.is_err() {
        // what failed before is what is to be told
        let _ = fs::remove_file(&temporary);
    }
    written
}
