//! The keyed state by itself: how it grows and shrinks.

use pathway_derive::Schema;

use super::*;

#[derive(Schema)]
#[schema(crate = crate)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
}

/// Pushes `genus`, or removes the key.
fn batch(keys: impl Iterator<Item = i64>, genus: Option<&str>) -> Batch<Cat> {
    let mut batch = Batch::default();
    for key in keys {
        match genus {
            Some(genus) => batch.push_times(Cat { key, genus: genus.to_owned() }.into_fields(), 1),
            None => batch.push_removal(key).unwrap(),
        }
    }
    batch
}

fn updates(upsert: &mut Upsert<Cat>, batch: Batch<Cat>) -> Vec<(i64, String, i64)> {
    let batch = [batch];
    let batches = upsert.apply(&batch, &Pool::new(), false);
    let batches = batches.as_deref().unwrap_or(&batch);
    let rows = batches.iter().flat_map(|batch| (0..batch.len()).map(|row| (batch.row(row), batch.diff(row))));
    rows.map(|(cat, diff)| (cat.key, cat.genus, diff)).collect()
}

const KEYS: i64 = 100_000;

#[test]
fn memory_shrinks_after_a_mass_removal() {
    let mut upsert = Upsert::<Cat>::default();
    for round in 0..2 {
        assert_eq!(updates(&mut upsert, batch(0..KEYS, Some("felis"))).len(), KEYS as usize, "round {round}");
        assert!(upsert.capacity() >= KEYS as usize);
        // Keys are removed in one commit, and in many small ones.
        let mut removed: Vec<i64> = (0..KEYS).filter(|key| key % 1000 != 7).collect();
        let few = removed.split_off(if round == 0 { removed.len() } else { 0 });
        updates(&mut upsert, batch(removed.into_iter(), None));
        for keys in few.chunks(100) {
            updates(&mut upsert, batch(keys.iter().copied(), None));
        }
        assert!(upsert.capacity() <= 2 * SHRINK_FROM, "it has memory for {} keys", upsert.capacity());
        // The remaining keys are found, and the others are not.
        let changed = updates(&mut upsert, batch((0..KEYS).filter(|key| key % 500 == 7), Some("lynx")));
        let retracted = changed.iter().filter(|(.., diff)| *diff < 0);
        assert!(retracted.clone().all(|(key, genus, _)| key % 1000 == 7 && genus == "felis"));
        assert_eq!((changed.len(), retracted.count()), (300, 100));
        let gone = updates(&mut upsert, batch(0..KEYS, None));
        assert_eq!(gone.len(), 200);
    }
}

#[test]
fn a_hash_table_that_grows_in_a_commit_keeps_the_keys_of_the_commit() {
    let mut upsert = Upsert::<Cat>::default();
    updates(&mut upsert, batch(0..100, Some("felis")));
    // Known keys that change, a removed key, an unchanged key, new keys, and the first and last of them again.
    let mut commit = batch(0..50, Some("lynx"));
    commit.push_removal(50).unwrap();
    commit.push_times(Cat { key: 51, genus: "felis".to_owned() }.into_fields(), 1);
    for key in (100..5_000).chain([0, 4_999]) {
        commit.push_times(Cat { key, genus: "puma".to_owned() }.into_fields(), 1);
    }
    let buckets = upsert.places.num_buckets();
    let changed = updates(&mut upsert, commit);
    assert!(upsert.places.num_buckets() > buckets);
    let mut expected = Vec::new();
    for key in 0..50 {
        expected.push((key, "felis", -1));
        expected.push((key, if key == 0 { "puma" } else { "lynx" }, 1));
    }
    expected.push((50, "felis", -1));
    expected.extend((100..5_000).map(|key| (key, "puma", 1)));
    assert_eq!(
        changed,
        expected.into_iter().map(|(key, genus, diff)| (key, genus.to_owned(), diff)).collect::<Vec<_>>()
    );
    // All of them are found, except the removed one.
    assert_eq!(updates(&mut upsert, batch(0..5_000, None)).len(), 4_999);
}

#[test]
fn a_table_that_keeps_its_size_is_not_rebuilt() {
    let mut upsert = Upsert::<Cat>::default();
    updates(&mut upsert, batch(0..KEYS, Some("felis")));
    updates(&mut upsert, batch(0..KEYS / 2, None));
    assert!(upsert.capacity() >= KEYS as usize);
}

#[test]
fn a_large_row_that_is_replaced_often_is_kept_once() {
    let mut upsert = Upsert::<Cat>::default();
    for round in 0..100 {
        let genus = format!("{round}{}", "x".repeat(1 << 20));
        updates(&mut upsert, batch(0..1, Some(&genus)));
        // Small rows in the same segment do not keep it either.
        updates(&mut upsert, batch(1..3, Some(&round.to_string())));
    }
    assert!(upsert.rows.bytes() < 4 << 20, "{} bytes for a row of a megabyte", upsert.rows.bytes());
    assert!(upsert.capacity() < 100, "it has memory for {} rows or segments", upsert.capacity());
}

#[test]
fn two_segments_that_become_sparse_in_one_commit_are_emptied_once() {
    let mut upsert = Upsert::<Cat>::default();
    updates(&mut upsert, batch(0..2048, Some("felis")));
    // Removals alternate between the two segments.
    updates(&mut upsert, batch((0..1000).flat_map(|key| [key, key + 1024]), None));
    updates(&mut upsert, batch(5_000..15_000, Some("lynx")));
    let mut left: Vec<_> = updates(&mut upsert, batch(0..15_000, None));
    left.sort_unstable();
    let felis = (1000..1024).chain(2024..2048).map(|key| (key, "felis".to_owned(), -1));
    let lynx = (5_000..15_000).map(|key| (key, "lynx".to_owned(), -1));
    assert!(left.into_iter().eq(felis.chain(lynx)));
}
