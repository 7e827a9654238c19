//! Compares two schemas at compile time.

use super::lock::reads;
use crate::rows::const_text::{ConstText, same};
use crate::rows::description::find;
use crate::rows::schema::Schema;

/// Fails to compile unless every row of `A` can be read as a row of `B`.
///
/// Schema `A` must have each column of `B`, by its name. The column's type must have only values that `B`'s column can
/// hold, and the column can be null only if `B`'s column can. `A` may have further columns, and its key does not
/// matter. The function corresponds to Pathway's `A.assert_matches_schema(B)`.
///
/// Call it in a constant, so that the compiler evaluates it.
///
/// ```
/// use pathway_io::Schema;
/// use pathway_io::schema::assert_matches;
///
/// #[derive(Schema)]
/// struct Named {
///     name: Option<String>,
///     weight: f64,
/// }
///
/// #[derive(Schema)]
/// struct Cat {
///     #[schema(primary_key)]
///     key: i64,
///     name: String,
///     weight: f32,
/// }
///
/// const _: () = assert_matches::<Cat, Named>();
/// ```
///
/// ```compile_fail
/// # use pathway_io::Schema;
/// # use pathway_io::schema::assert_matches;
/// # #[derive(Schema)] struct Named { name: String }
/// # #[derive(Schema)] struct Cat { name: Option<String> }
/// const _: () = assert_matches::<Cat, Named>();
/// ```
///
/// # Panics
///
/// Panics if a column of `B` is missing in `A` or does not fit. In a constant, this is a compile error that names the
/// column.
#[track_caller]
pub const fn assert_matches<A: Schema, B: Schema>() {
    let (a, b) = (A::SCHEMA, B::SCHEMA);
    let mut at = 0;
    while at < b.columns.len() {
        let wanted = &b.columns[at];
        let Some(found) = find(a.columns, wanted.name) else {
            let message = ConstText::new().push("`").push(a.name).push("` does not match `").push(b.name);
            panic!("{}", message.push("`: it has no column `").push(wanted.name).push("`").as_str());
        };
        if !reads(&wanted.data_type, &found.data_type) || found.optional && !wanted.optional {
            let message = ConstText::new().push("`").push(a.name).push("` does not match `").push(b.name);
            let message = message.push("`: its column `").push(found.name).push("` is `");
            let message = message.push_column(&found.data_type, found.optional).push("`, and not `");
            panic!("{}", message.push_column(&wanted.data_type, wanted.optional).push("`").as_str());
        }
        at += 1;
    }
}

/// Fails to compile unless `A` and `B` have the same columns.
///
/// The columns must have the same names in the same order, the same types and the same nullability, and the primary
/// keys must be the same. The function corresponds to Pathway's `A.assert_matches_schema(B)` with all its strict
/// options.
///
/// ```
/// use pathway_io::Schema;
/// use pathway_io::schema::assert_same;
///
/// #[derive(Schema)]
/// struct Named {
///     name: String,
/// }
///
/// #[derive(Schema)]
/// struct Cat {
///     #[schema(flatten)]
///     named: Named,
/// }
///
/// const _: () = assert_same::<Cat, Named>();
/// ```
///
/// # Panics
///
/// Panics if the columns or the keys differ. In a constant, this is a compile error that names the first different
/// column.
#[track_caller]
pub const fn assert_same<A: Schema, B: Schema>() {
    let (a, b) = (A::SCHEMA, B::SCHEMA);
    let mut at = 0;
    while at < a.columns.len() || at < b.columns.len() {
        let message = ConstText::new().push("`").push(a.name).push("` is not the same as `").push(b.name).push("`: ");
        if at >= a.columns.len() || at >= b.columns.len() {
            let (name, longer) =
                if at < a.columns.len() { (a.columns[at].name, a.name) } else { (b.columns[at].name, b.name) };
            panic!("{}", message.push("only `").push(longer).push("` has the column `").push(name).push("`").as_str());
        }
        let (mine, theirs) = (&a.columns[at], &b.columns[at]);
        if !same(mine.name, theirs.name) {
            let message = message.push("where it has the column `").push(mine.name).push("`, that has `");
            panic!("{}", message.push(theirs.name).push("`").as_str());
        }
        let message = message.push("its column `").push(mine.name);
        let is_same_type = reads(&mine.data_type, &theirs.data_type) && reads(&theirs.data_type, &mine.data_type);
        if !is_same_type || mine.optional != theirs.optional {
            let message = message.push("` is `").push_column(&mine.data_type, mine.optional).push("`, and not `");
            panic!("{}", message.push_column(&theirs.data_type, theirs.optional).push("`").as_str());
        }
        if mine.primary_key != theirs.primary_key {
            let is = if mine.primary_key { "` is part of the key" } else { "` is not part of the key" };
            panic!("{}", message.push(is).as_str());
        }
        at += 1;
    }
}
