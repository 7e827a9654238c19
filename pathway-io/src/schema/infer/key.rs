//! Guesses the primary key.

use super::Inferred;
use super::types;

/// A column that may be the key, and the reason.
pub(super) struct Guess {
    pub index: usize,
    pub reason: String,
}

/// Returns a column whose values are distinct and never null. Among several, it prefers one that is named like a key,
/// and otherwise the first.
pub(super) fn guess(inferred: &Inferred) -> Option<Guess> {
    let rows = inferred.rows;
    if rows < 2 {
        return None;
    }
    let candidates = inferred.columns.iter().enumerate().filter(|(_, column)| {
        let summary = &column.summary;
        !column.name.is_empty()
            && summary.count == rows
            && summary.is_distinct()
            && types::of_column(summary).is_key_type
    });
    let candidates: Vec<(usize, &str)> = candidates.map(|(index, column)| (index, column.name.as_str())).collect();
    let by_name = candidates.iter().filter_map(|(index, name)| rank(name).map(|rank| (rank, *index))).min();
    match (by_name, candidates.first()) {
        (Some((_, index)), _) => {
            Some(Guess { index, reason: format!("the key, judged by its name: no value repeats in {rows} rows") })
        }
        (None, Some((0, _))) => Some(Guess {
            index: 0,
            reason: format!("perhaps the key: it is first, and no value repeats in {rows} rows"),
        }),
        _ => None,
    }
}

/// Ranks a name by its likeness to the name of a key; a lower rank is more likely.
fn rank(name: &str) -> Option<usize> {
    let lower = name.to_lowercase();
    let whole = ["id", "_id", "key", "uuid", "guid", "uri", "url"].iter().position(|known| *known == lower);
    let is_id = ["_id", "-id", ".id", " id", "_key", "_uuid"].iter().any(|end| lower.ends_with(end));
    whole.or_else(|| (is_id || name.ends_with("Id") || name.ends_with("ID")).then_some(100))
}
