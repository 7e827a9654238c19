//! Rows of new keys are written by `COPY`, unless another program's row has one of the keys.

use std::collections::BTreeMap;

use pathway_io::{Subject, postgres as sink};

use crate::common::{Cat, cat};
use crate::{client, database, rows, write};

/// Creates the table, and records each statement that inserts or updates rows.
const WATCHED: &str = "
    CREATE TABLE cats (key bigint PRIMARY KEY, genus text NOT NULL);
    CREATE TABLE seen (statement text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen VALUES (split_part(current_query(), ' ', 1) || ' ' || TG_OP);
        RETURN NULL;
    END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON cats FOR EACH ROW EXECUTE FUNCTION note();";

fn cats() -> sink::Options {
    sink::Options::new().table("cats")
}

fn seen(config: &str) -> Vec<Vec<String>> {
    rows(config, "SELECT statement, count(*) FROM seen GROUP BY 1 ORDER BY 1")
}

#[test]
fn rows_of_new_keys_are_copied_and_others_are_not() {
    let Some(config) = database() else { return };
    client(&config).batch_execute(WATCHED).unwrap();
    let other = config.clone();
    write(&config, cats(), move |cats: Subject<Cat>| {
        (0..100).try_for_each(|key| cats.next(cat(key, "felis")))?;
        cats.commit()?;
        // The second commit must not be applied together with the first.
        while rows(&other, "SELECT FROM cats").is_empty() {
            cats.sleep(std::time::Duration::from_millis(1))?;
        }
        // 100 keys are new, 50 are changed, and 10 are removed, in one commit.
        (50..200).try_for_each(|key| cats.next(cat(key, "lynx")))?;
        (0..10).try_for_each(|key| cats.remove(key))?;
        Ok(())
    })
    .unwrap();
    let found = rows(&config, "SELECT genus, count(*), min(key), max(key) FROM cats GROUP BY 1 ORDER BY 1");
    assert_eq!(found, [["felis", "40", "10", "49"], ["lynx", "150", "50", "199"]]);
    assert_eq!(seen(&config), [["COPY INSERT", "200"], ["DELETE DELETE", "10"], ["INSERT UPDATE", "50"]]);
}

#[test]
fn a_row_of_somebody_else_is_replaced() {
    let Some(config) = database() else { return };
    client(&config).batch_execute(WATCHED).unwrap();
    let other = config.clone();
    write(&config, cats(), move |cats: Subject<Cat>| {
        client(&other).batch_execute("INSERT INTO cats VALUES (70, 'theirs'), (7000, 'theirs')").unwrap();
        (0..100).try_for_each(|key| cats.next(cat(key, "felis")))?;
        cats.commit()?;
        (100..200).try_for_each(|key| cats.next(cat(key, "felis")))?;
        Ok(())
    })
    .unwrap();
    let found = rows(&config, "SELECT genus, count(*) FROM cats GROUP BY 1 ORDER BY 1");
    assert_eq!(found, [["felis", "200"], ["theirs", "1"]]);
    // The `COPY` was rolled back.
    assert!(seen(&config).iter().all(|row| row[0] != "COPY INSERT"), "{:?}", seen(&config));
}

#[test]
fn a_table_that_takes_no_copy_is_upserted() {
    let Some(config) = database() else { return };
    client(&config)
        .batch_execute(&format!(
            "{WATCHED} CREATE ROLE clerk LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk;
            GRANT CREATE ON SCHEMA public TO clerk;
            ALTER TABLE cats ENABLE ROW LEVEL SECURITY; CREATE POLICY all_rows ON cats USING (true);
            GRANT ALL ON seen TO clerk"
        ))
        .unwrap();
    let clerk = config.replace("user=postgres", "user=clerk");
    write(&clerk, cats(), |cats: Subject<Cat>| Ok((0..100).try_for_each(|key| cats.next(cat(key, "felis")))?)).unwrap();
    assert_eq!(rows(&config, "SELECT genus, count(*) FROM cats GROUP BY 1"), [["felis", "100"]]);
    assert_eq!(seen(&config), [["INSERT INSERT", "100"]]);
}

/// Any mix of changes within one commit and over several results in the right table.
#[test]
fn any_mix_of_changes_leaves_the_right_rows() {
    let Some(config) = database() else { return };
    let mut expected: BTreeMap<i64, String> = BTreeMap::new();
    let mut steps: Vec<Vec<(i64, Option<String>)>> = Vec::new();
    let mut state = 1_u64;
    for commit in 0..20 {
        let mut step = Vec::new();
        for n in 0..300 {
            // xorshift
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let key = (state % 500) as i64;
            let row = (state >> 32 & 3 != 0).then(|| format!("{commit}/{n}"));
            match &row {
                Some(genus) => expected.insert(key, genus.clone()),
                None => expected.remove(&key),
            };
            step.push((key, row));
        }
        steps.push(step);
    }
    write(&config, cats(), move |cats: Subject<Cat>| {
        for step in &steps {
            for (key, row) in step {
                match row {
                    Some(genus) => cats.next(cat(*key, genus))?,
                    None => cats.remove(*key)?,
                }
            }
            cats.commit()?;
        }
        Ok(())
    })
    .unwrap();
    let found: BTreeMap<i64, String> = rows(&config, "SELECT key, genus FROM cats")
        .into_iter()
        .map(|row| (row[0].parse().unwrap(), row[1].clone()))
        .collect();
    assert_eq!(found, expected);
}
