//! `PATHWAY_LOCK=update`: writes the lock for the current struct.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use syn::LitStr;
use syn::ext::IdentExt;

use crate::files::data_type::DataType;
use crate::files::lock::{Entry, Lock, LockedColumn};
use crate::schema::ast::Schema;
use crate::schema::spelling::Trust;
use crate::types::text;

/// Writes the lock, unless it is up to date.
///
/// # Errors
///
/// Returns an error if the file cannot be written. It is then unchanged.
pub fn accept(schema: &Schema, place: &Path, old: Option<&Lock>) -> io::Result<Lock> {
    let lock = lock_of(schema, old);
    let text = lock.print();
    if fs::read_to_string(place).ok().as_deref() != Some(text.as_str()) {
        replace(place, text.as_bytes())?;
    }
    Ok(lock)
}

/// Returns the lock of the schema.
pub fn lock_of(schema: &Schema, old: Option<&Lock>) -> Lock {
    let entries = schema.columns.iter().map(|column| {
        if column.is_flat() {
            return Entry::Flatten {
                ty: text(column.ty),
                field: column.field(),
                primary_key: column.is_key(),
                prefix: column.prefix(),
            };
        }
        let data_type = column.data_type(Trust::Likely);
        let old = old.and_then(|old| old.column(&column.name));
        let (data_type, optional) = match (data_type, old) {
            // The entry keeps the recorded type, which the compiler compares with the current one.
            (data_type, Some(old)) if data_type.has_unknown() => (old.data_type.clone(), old.optional),
            (data_type, None) if data_type.has_unknown() => (DataType::Unknown, false),
            (data_type, _) => data_type.without_option(),
        };
        Entry::Column(LockedColumn {
            name: column.name.clone(),
            data_type,
            optional,
            primary_key: column.is_key(),
            has_default: column.default().is_some(),
            aliases: column.options.aliases.iter().map(LitStr::value).collect(),
            path: column.options.path.get().map_or(String::new(), |path| path.literal.value()),
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

/// Replaces a file atomically: a reader finds either the old or the new contents.
pub fn replace(place: &Path, bytes: &[u8]) -> io::Result<()> {
    // Cargo may compile a crate several times at once.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = place.file_name().ok_or_else(|| io::Error::other("it has no file name"))?.to_string_lossy();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = place.with_file_name(format!(".{name}.{}-{count}.new", process::id()));
    let written = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, place));
    if written.is_err() {
        // The earlier error is reported, not this one.
        let _ = fs::remove_file(&temporary);
    }
    written
}
