//! Finds names that two fields share, at compile time: [`clashes`].
//!
//! A macro sees the names in its own struct, and not those in a flattened schema.

use crate::rows::const_text::{ConstText, contains, same};
use crate::rows::description::{Column, RESERVED};
use crate::rows::path::overlap;

/// A name that two fields share, at least one of which is flattened.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Clash {
    name: &'static str,
    /// Whether the shared name is a part of a path.
    is_path: bool,
    first: &'static str,
    second: &'static str,
}

/// Returns the first clash of each of `F` fields with a field before it.
///
/// The columns are looked up by the hash of their name, which takes linear time. Comparing all pairs would take
/// seconds for a few hundred columns. Only aliases are compared with all other aliases; few columns have one.
#[doc(hidden)]
#[must_use]
pub const fn clashes<const N: usize, const F: usize>(columns: &[Column]) -> [Option<Clash>; F] {
    let mut clashes = [None; F];
    let (mut heads, mut links) = ([NONE; N], [NONE; N]);
    let mut i = 0;
    while i < columns.len() {
        let bucket = hash(columns[i].name) % N;
        (links[i], heads[bucket]) = (heads[bucket], i);
        i += 1;
    }
    i = 0;
    while i < columns.len() {
        let aliases = columns[i].aliases;
        let mut n = 0;
        while n <= aliases.len() {
            let name = if n == 0 { columns[i].name } else { aliases[n - 1] };
            let mut other = heads[hash(name) % N];
            while other != NONE {
                if same(columns[other].name, name) {
                    note(&mut clashes, columns, i, other, name, false);
                }
                other = links[other];
            }
            n += 1;
        }
        if let Some(root) = columns[i].root() {
            let mut other = heads[hash(root) % N];
            while other != NONE {
                if same(columns[other].name, root) && columns[other].is_read_by_name() {
                    note(&mut clashes, columns, i, other, root, true);
                }
                other = links[other];
            }
            other = 0;
            while other < columns.len() {
                if contains(columns[other].aliases, root) {
                    note(&mut clashes, columns, i, other, root, true);
                }
                if other < i && overlap(columns[i].steps, columns[other].steps) {
                    note(&mut clashes, columns, i, other, columns[i].path, true);
                }
                other += 1;
            }
        }
        let mut other = 0;
        while !aliases.is_empty() && other < i {
            if let Some(name) = shared_alias(&columns[i], &columns[other]) {
                note(&mut clashes, columns, i, other, name, false);
            }
            other += 1;
        }
        i += 1;
    }
    clashes
}

/// The end of a list.
const NONE: usize = usize::MAX;

/// Records the clash at the later of two fields. Names within one field cannot clash, because the derive of that struct
/// checks them.
const fn note<const F: usize>(
    clashes: &mut [Option<Clash>; F],
    columns: &[Column],
    one: usize,
    other: usize,
    name: &'static str,
    is_path: bool,
) {
    let (first, second) = if one < other { (&columns[one], &columns[other]) } else { (&columns[other], &columns[one]) };
    if first.field_index != second.field_index && clashes[second.field_index].is_none() {
        clashes[second.field_index] = Some(Clash { name, is_path, first: first.field, second: second.field });
    }
}

/// Returns the FNV-1a hash of a name.
const fn hash(name: &str) -> usize {
    let (mut hash, mut i) = (0x811c_9dc5_u32, 0);
    while i < name.len() {
        hash = (hash ^ name.as_bytes()[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    hash as usize
}

/// Fails if a field has the name of an earlier field.
#[doc(hidden)]
#[track_caller]
pub const fn assert_distinct(clash: Option<Clash>) {
    if let Some(Clash { name, is_path, first, second }) = clash {
        let (before, after) = if is_path { ("`", "` is read twice") } else { ("column `", "` is defined twice") };
        let message = ConstText::new().push(before).push(name).push(after).push(": by the field `");
        let message = message.push(first).push("` and by the field `").push(second).push("`");
        let help = if is_path { "" } else { "\nhelp: add a prefix: `#[schema(flatten, prefix = \"..\")]`" };
        panic!("{}", message.push(help).as_str());
    }
}

/// Fails if a column of a field that is flattened with a prefix has a reserved name, such as `time` for `me` after
/// `ti`.
#[doc(hidden)]
#[track_caller]
pub const fn assert_unreserved(field: &str, prefix: &str, columns: &[Column]) {
    let mut i = 0;
    while i < columns.len() {
        let name = ConstText::new().push(prefix).push(columns[i].name);
        if contains(&RESERVED, name.as_str()) {
            let message = ConstText::new().push("`").push(name.as_str()).push("` is reserved for the update stream: ");
            let message = message.push("the prefix makes it the name of a column of `").push(field);
            panic!("{}", message.push("`\nhelp: use another prefix").as_str());
        }
        i += 1;
    }
}

/// Returns an alias that two columns share.
const fn shared_alias(a: &Column, b: &Column) -> Option<&'static str> {
    let mut i = 0;
    while i < a.aliases.len() {
        if contains(b.aliases, a.aliases[i]) {
            return Some(a.aliases[i]);
        }
        i += 1;
    }
    None
}
