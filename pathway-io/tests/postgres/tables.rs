//! The contents of the tables, and the tables that are refused.

use std::collections::BTreeMap;
use std::sync::mpsc;

use pathway_io::{Schema, Subject, postgres as sink};

use crate::common::{Cat, cat, source};
use crate::{client, database, rows, write};

fn cats() -> sink::Options {
    sink::Options::new().table("cats")
}

#[test]
fn a_keyed_table_has_the_current_rows() {
    let Some(config) = database() else { return };
    write(&config, sink::Options::new(), |cats: Subject<Cat>| {
        cats.next(cat(1, "felis"))?;
        cats.next(cat(2, "lynx"))?;
        cats.next(cat(3, "puma"))?;
        cats.commit()?;
        cats.next(cat(1, "Felis"))?;
        cats.remove(2)?;
        // A key that is added and removed within one commit, and one that is removed and added.
        cats.next(cat(4, "acinonyx"))?;
        cats.remove(4)?;
        cats.remove(3)?;
        cats.next(cat(3, "Puma"))?;
        Ok(())
    })
    .unwrap();
    assert_eq!(rows(&config, "SELECT * FROM \"Cat\" ORDER BY key"), [["1", "Felis"], ["3", "Puma"]]);
    let time: i64 = client(&config).query_one("SELECT time FROM pathway_io_tables", &[]).unwrap().get(0);
    assert!(time > 1_600_000_000_000, "{time}");
    // The next run starts over.
    write(&config, sink::Options::new(), |cats: Subject<Cat>| Ok(cats.next(cat(9, "panthera"))?)).unwrap();
    assert_eq!(rows(&config, "SELECT * FROM \"Cat\""), [["9", "panthera"]]);
}

#[test]
fn updates_are_appended_with_time_and_diff() {
    let Some(config) = database() else { return };
    write(&config, cats().updates(), |cats: Subject<Cat>| {
        cats.next(cat(1, "felis"))?;
        cats.commit()?;
        cats.next(cat(1, "lynx"))?;
        Ok(cats.commit()?)
    })
    .unwrap();
    let query = "SELECT genus, diff, dense_rank() OVER (ORDER BY time) FROM cats ORDER BY time, diff";
    assert_eq!(rows(&config, query), [["felis", "1", "1"], ["felis", "-1", "2"], ["lynx", "1", "2"]]);
}

#[derive(Schema)]
struct Line {
    text: String,
}

#[test]
fn a_table_without_a_key_is_its_updates() {
    let Some(config) = database() else { return };
    write(&config, sink::Options::new(), |lines: Subject<Line>| {
        for text in ["a", "b", "a"] {
            lines.next(Line { text: text.into() })?;
        }
        Ok(())
    })
    .unwrap();
    let found = rows(&config, "SELECT text, sum(diff) FROM \"Line\" GROUP BY text ORDER BY text");
    assert_eq!(found, [["a", "2"], ["b", "1"]]);
}

#[derive(Schema)]
struct Pair {
    #[schema(primary_key)]
    a: i64,
    #[schema(primary_key)]
    b: String,
}

#[test]
fn a_table_may_be_all_key() {
    let Some(config) = database() else { return };
    write(&config, sink::Options::new(), |pairs: Subject<Pair>| {
        for _ in 0..2 {
            pairs.next(Pair { a: 1, b: "x".into() })?;
            pairs.next(Pair { a: 1, b: "y".into() })?;
            pairs.commit()?;
        }
        Ok(pairs.remove((1, "x".into()))?)
    })
    .unwrap();
    assert_eq!(rows(&config, "SELECT * FROM \"Pair\""), [["1", "y"]]);
}

#[test]
fn any_history_ends_in_the_table_that_a_map_would_be() {
    let Some(config) = database() else { return };
    let mut random = 7_u64;
    let mut expected = BTreeMap::new();
    let mut steps = Vec::new();
    for step in 0..60_000_u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let key = (random >> 33) as i64 % 30_000;
        let genus = (!random.is_multiple_of(5)).then(|| format!("g{step}"));
        match &genus {
            Some(genus) => expected.insert(key, genus.clone()),
            None => expected.remove(&key),
        };
        steps.push((key, genus, random.is_multiple_of(97)));
    }
    write(&config, cats(), move |cats: Subject<Cat>| {
        for (key, genus, commits) in &steps {
            match genus {
                Some(genus) => cats.next(cat(*key, genus))?,
                None => cats.remove(*key)?,
            }
            if *commits {
                cats.commit()?;
            }
        }
        Ok(())
    })
    .unwrap();
    let found = rows(&config, "SELECT key, genus FROM cats ORDER BY key");
    let expected: Vec<Vec<String>> = expected.into_iter().map(|(key, genus)| vec![key.to_string(), genus]).collect();
    assert!(expected.len() > 10_000 && found == expected, "{} rows, and not {}", found.len(), expected.len());
}

#[track_caller]
fn refused<S: Schema>(config: &str, options: sink::Options) -> String {
    write(config, options, |_: Subject<S>| Ok(())).expect_err("it is refused").to_string()
}

#[test]
fn each_difference_of_a_table_is_named_and_it_is_left_alone() {
    let Some(config) = database() else { return };
    let mut client = client(&config);
    client
        .batch_execute(
            "CREATE TABLE cats (key integer PRIMARY KEY, weight real, \"Genus\" text); INSERT INTO cats VALUES (1)",
        )
        .unwrap();
    let error = refused::<Cat>(&config, cats());
    for difference in [
        "its column `key` is integer and should be bigint",
        "it lacks the column `genus` (text)",
        "it has an additional column `weight`",
        "it has an additional column `Genus`",
    ] {
        assert!(error.contains(difference), "{difference}: {error}");
    }
    client.batch_execute("DROP TABLE cats; CREATE TABLE cats (key bigint, genus varchar(9) NOT NULL)").unwrap();
    let error = refused::<Cat>(&config, cats());
    assert!(error.contains("its column `key` is not in the primary key"), "{error}");
    assert!(error.contains("its column `genus` is character varying(9) and should be text"), "{error}");
    client
        .batch_execute(
            "DROP TABLE cats; CREATE TABLE cats (genus text, key bigint PRIMARY KEY); INSERT INTO cats VALUES ('x', 1)",
        )
        .unwrap();
    let error = refused::<Cat>(&config, cats());
    assert!(error.contains("there is a table `cats` with rows that no pipeline has written"), "{error}");
    client.batch_execute("DROP TABLE cats; CREATE TABLE cats (key bigint PRIMARY KEY DEFERRABLE, genus text)").unwrap();
    let error = refused::<Cat>(&config, cats());
    assert!(error.contains("its primary key is DEFERRABLE, so no upsert can use it"), "{error}");
    client.batch_execute("DROP TABLE cats; CREATE VIEW cats AS SELECT 1 AS key").unwrap();
    let error = refused::<Cat>(&config, cats());
    assert!(error.contains("`cats` is not a permanent table; drop it, or write to another one"), "{error}");
    // A table with the same columns in another order is accepted.
    client.batch_execute("DROP VIEW cats; CREATE TABLE cats (genus text, key bigint PRIMARY KEY)").unwrap();
    write(&config, cats(), |cats: Subject<Cat>| Ok(cats.next(cat(1, "felis"))?)).unwrap();
    assert_eq!(rows(&config, "SELECT key, genus FROM cats"), [["1", "felis"]]);
}

#[test]
fn a_column_that_cannot_take_each_value_is_named() {
    let Some(config) = database() else { return };
    let mut client = client(&config);
    let collation = "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";
    let computed = "is generated, and takes no other values";
    for (column, reason, columns) in [
        ("c", computed, "a bigint, b text, c text GENERATED ALWAYS AS ('x') STORED, PRIMARY KEY (a, b)"),
        ("a", computed, "a bigint GENERATED ALWAYS AS IDENTITY, b text, c text, PRIMARY KEY (a, b)"),
        ("b", "has a nondeterministic collation", "a bigint, b text COLLATE folded, c text, PRIMARY KEY (a, b)"),
    ] {
        client
            .batch_execute(&format!(
                "DROP TABLE IF EXISTS keyed; DROP COLLATION IF EXISTS folded; {collation} CREATE TABLE keyed ({columns})"
            ))
            .unwrap();
        let error = refused::<Keyed>(&config, sink::Options::new().table("keyed"));
        assert!(error.contains(&format!("its column `{column}` {reason}")), "{error}");
        assert_eq!(error.matches("its column").count(), 1, "{error}");
    }
    // These take each value.
    client
        .batch_execute(
            "DROP TABLE keyed; CREATE TABLE keyed (a bigint GENERATED BY DEFAULT AS IDENTITY, b text COLLATE \"C\",
             c text COLLATE folded, PRIMARY KEY (a, b))",
        )
        .unwrap();
    write(&config, sink::Options::new().table("keyed"), |keyed: Subject<Keyed>| {
        keyed.next(Keyed { a: 1, b: "x".into(), c: "x".into() })?;
        Ok(keyed.next(Keyed { a: 1, b: "X".into(), c: "X".into() })?)
    })
    .unwrap();
    assert_eq!(rows(&config, "SELECT b, c FROM keyed ORDER BY b"), [["X", "X"], ["x", "x"]]);
}

#[derive(Schema)]
struct Keyed {
    #[schema(primary_key)]
    a: i64,
    #[schema(primary_key)]
    b: String,
    c: String,
}

#[derive(Schema)]
struct Case {
    #[schema(primary_key)]
    id: i64,
    #[schema(rename = "ID")]
    other: i64,
    #[schema(rename = "a \"quoted\" name")]
    quoted: i64,
    #[schema(rename = "Time")]
    time: i64,
}

#[test]
fn names_may_be_anything_that_postgresql_can_tell_apart() {
    let Some(config) = database() else { return };
    for options in [sink::Options::new(), sink::Options::new().table("or \"other\"").updates()] {
        let row = |id| Case { id, other: 2, quoted: 3, time: 4 };
        write(&config, options, move |cases: Subject<Case>| {
            cases.next(row(1))?;
            cases.next(row(5))?;
            Ok(cases.remove(5)?)
        })
        .unwrap();
    }
    assert_eq!(rows(&config, "SELECT * FROM \"Case\""), [["1", "2", "3", "4"]]);
    assert_eq!(rows(&config, "SELECT count(*) FROM \"or \"\"other\"\"\""), [["1"]]);
    let long = "x".repeat(64);
    let error = refused::<Case>(&config, sink::Options::new().table(&long));
    assert!(error.contains("has 64 bytes, and PostgreSQL keeps 63"), "{error}");
    write(&config, sink::Options::new().table(&long[1..]), |_: Subject<Case>| Ok(())).unwrap();
}

#[test]
fn a_schema_has_its_own_tables() {
    let Some(config) = database() else { return };
    let error = refused::<Cat>(&config, cats().schema("zoo.1"));
    assert!(error.contains(" zoo.1.cats` failed: the schema `zoo.1` does not exist"), "{error}");
    assert!(error.contains("\nhelp: `CREATE SCHEMA \"zoo.1\"`"), "{error}");
    client(&config).batch_execute("CREATE SCHEMA \"zoo.1\"").unwrap();
    write(&config, cats().schema("zoo.1"), |cats: Subject<Cat>| Ok(cats.next(cat(1, "felis"))?)).unwrap();
    assert_eq!(rows(&config, "SELECT name FROM \"zoo.1\".pathway_io_tables"), [["cats"]]);
    assert_eq!(rows(&config, "SELECT genus FROM \"zoo.1\".cats"), [["felis"]]);
}

#[test]
fn a_trigger_finds_the_names_of_the_search_path() {
    let Some(config) = database() else { return };
    client(&config)
        .batch_execute(
            "CREATE SCHEMA zoo;
             CREATE TABLE zoo.cats (key bigint PRIMARY KEY, genus text);
             CREATE TABLE cats (key bigint PRIMARY KEY, genus text);
             CREATE TABLE audit (table_name text);
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO audit VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME); RETURN NULL; END $$;
             CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON zoo.cats FOR EACH ROW EXECUTE FUNCTION note()",
        )
        .unwrap();
    // The second run empties the table. It has enough rows for `COPY`.
    for _ in 0..2 {
        write(&config, cats().schema("zoo"), |cats: Subject<Cat>| {
            (0..100).try_for_each(|key| Ok(cats.next(cat(key, "felis"))?))
        })
        .unwrap();
    }
    assert_eq!(rows(&config, "SELECT count(*), max(table_name) FROM audit"), [["300", "zoo.cats"]]);
    assert_eq!(rows(&config, "SELECT count(*) FROM zoo.cats"), [["100"]]);
    // The schema has its own tables, also if there are others of their names.
    write(&config, cats(), |cats: Subject<Cat>| Ok(cats.next(cat(1, "lynx"))?)).unwrap();
    write(&config, sink::Options::new().schema("zoo"), |cats: Subject<Cat>| Ok(cats.next(cat(1, "puma"))?)).unwrap();
    assert_eq!(rows(&config, "SELECT name FROM pathway_io_tables"), [["cats"]]);
    assert_eq!(rows(&config, "SELECT name FROM zoo.pathway_io_tables ORDER BY name"), [["Cat"], ["cats"]]);
    assert_eq!(rows(&config, "SELECT genus FROM zoo.\"Cat\""), [["puma"]]);
    assert_eq!(rows(&config, "SELECT count(*) FROM zoo.cats"), [["100"]]);
}

#[test]
fn a_second_process_that_writes_the_table_is_refused() {
    let Some(config) = database() else { return };
    let (go_on, gate) = mpsc::channel::<()>();
    let (started, first) = mpsc::channel();
    let other = format!("{config} application_name=zoo");
    let writer = std::thread::spawn(move || {
        write(&other, cats(), move |cats: Subject<Cat>| {
            cats.next(cat(1, "felis"))?;
            cats.commit()?;
            started.send(())?;
            // The wait ends when the test sends a message, or fails.
            let _ = gate.recv();
            Ok(())
        })
    });
    crate::common::next(&first);
    let error = refused::<Cat>(&config, cats());
    assert!(error.contains("another process writes the table `cats`: server process "), "{error}");
    assert!(error.contains("application `pathway-io ") && error.contains(" zoo`"), "{error}");
    // Another table is free.
    write(&config, cats().table("others"), |_: Subject<Cat>| Ok(())).unwrap();
    drop(go_on);
    writer.join().unwrap().unwrap();
    assert_eq!(rows(&config, "SELECT genus FROM cats"), [["felis"]]);
    write(&config, cats(), |_: Subject<Cat>| Ok(())).unwrap();
}

#[test]
fn several_tables_start_at_once_in_one_database() {
    let Some(config) = database() else { return };
    for round in 0..6 {
        let level = ["read committed", "serializable"][round % 2];
        client(&config)
            .batch_execute(&format!(
                "DROP TABLE IF EXISTS pathway_io_tables, t0, t1, t2, t3;
                 DO $$ BEGIN EXECUTE format(
                     'ALTER DATABASE %I SET default_transaction_isolation = ''{level}''', current_database()); END $$"
            ))
            .unwrap();
        let pipeline = crate::common::pipeline();
        let cats = pipeline.read(source(|cats: Subject<Cat>| Ok(cats.next(cat(1, "felis"))?)));
        for table in ["t0", "t1", "t2", "t3"] {
            sink::write_with(&cats, &*config, sink::Options::new().table(table));
        }
        crate::common::run(pipeline).unwrap();
        assert_eq!(rows(&config, "SELECT name FROM pathway_io_tables ORDER BY name"), [["t0"], ["t1"], ["t2"], ["t3"]]);
    }
}

#[test]
fn two_sinks_on_one_table_are_an_error() {
    let Some(config) = database() else { return };
    let pipeline = crate::common::pipeline();
    let cats = pipeline.read(source(|_: Subject<Cat>| Ok(())));
    sink::write(&cats, &*config);
    sink::write(&cats, &*config);
    let error = crate::common::run(pipeline).unwrap_err().to_string();
    assert!(error.contains("two sinks write to its table `Cat`"), "{error}");
}

#[test]
fn a_table_of_the_catalogue_is_left_alone() {
    let Some(config) = database() else { return };
    let count = || rows(&config, "SELECT count(*) FROM pg_catalog.pg_description");
    let before = count();
    let options = || sink::Options::new().table("pg_description");
    let error = refused::<Cat>(&config, options());
    assert!(error.contains("PostgreSQL has its own table `pg_description`\nhelp: write to another one"), "{error}");
    assert_eq!(count(), before);
    write(&config, options().schema("public"), |cats: Subject<Cat>| Ok(cats.next(cat(1, "felis"))?)).unwrap();
    assert_eq!(rows(&config, "SELECT genus FROM public.pg_description"), [["felis"]]);
}

#[test]
fn time_outs_of_the_database_do_not_apply() {
    let Some(config) = database() else { return };
    let names = "'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', \
                 'transaction_timeout'";
    client(&config)
        .batch_execute(&format!(
            "DO $$ DECLARE known text; BEGIN
                 FOR known IN SELECT name FROM pg_settings WHERE name IN ({names}) LOOP
                     EXECUTE format('ALTER DATABASE %I SET %I = 3600000', current_database(), known);
                 END LOOP;
             END $$;
             CREATE TABLE cats (key bigint PRIMARY KEY, genus text);
             CREATE TABLE seen (name text, setting text);
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO seen SELECT name, setting FROM pg_settings WHERE name IN ({names}); RETURN NEW;
             END $$;
             CREATE TRIGGER note BEFORE INSERT ON cats FOR EACH ROW EXECUTE FUNCTION note()"
        ))
        .unwrap();
    write(&config, cats(), |cats: Subject<Cat>| Ok(cats.next(cat(1, "felis"))?)).unwrap();
    assert_eq!(rows(&config, "SELECT count(*) > 2, max(setting) FROM seen"), [["t", "0"]]);
}
