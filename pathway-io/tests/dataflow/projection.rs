//! Computations on some columns of a table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pathway_io::dataflow::{Workers, compute};
use pathway_io::{ColumnType, ReadOptions, Schema, Subject};

use crate::common::{Seen, commits, next, pipeline, run, run_on, source};

#[derive(Schema)]
#[schema(dataflow)]
struct Place {
    city: String,
    zip: u32,
}

/// A value of a foreign type. The conversions of [`HEAVY`] from its column are counted.
#[derive(Debug, Clone, PartialEq)]
struct Counted(u64);

const HEAVY: u64 = 77;

static MADE: AtomicUsize = AtomicUsize::new(0);

mod counted {
    use super::{Counted, HEAVY, MADE, Ordering};

    pub type Column = u64;

    pub fn to_column(value: &Counted) -> u64 {
        value.0
    }

    pub fn from_column(value: u64) -> Counted {
        MADE.fetch_add(usize::from(value == HEAVY), Ordering::Relaxed);
        Counted(value)
    }
}

mod tenths {
    use super::Counted;

    pub type Column = u64;

    pub fn to_column(value: &Counted) -> u64 {
        value.0 * 10
    }

    pub fn from_column(value: u64) -> Counted {
        Counted(value / 10)
    }
}

#[derive(ColumnType, Debug, Clone, PartialEq)]
#[column(rename_all = "lowercase")]
enum Genus {
    Felis,
    Lynx,
}

#[derive(Schema)]
#[schema(dataflow, rename_all = "camelCase")]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    #[schema(alias = "family")]
    genus: Genus,
    #[schema(flatten)]
    place: Place,
    #[schema(default = 4)]
    number_of_legs: u8,
    #[schema(path = "owner.name")]
    owner: Option<String>,
    #[schema(skip)]
    _seen: bool,
    #[schema(with = "counted")]
    weight: Counted,
}

fn cat(key: i64, genus: Genus, city: &str) -> Cat {
    let place = Place { city: city.into(), zip: 7 };
    Cat { key, genus, place, number_of_legs: 4, owner: None, _seen: true, weight: Counted(30) }
}

#[derive(Schema)]
#[schema(dataflow)]
struct OnlyGenus {
    genus: Genus,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Count {
    #[schema(primary_key)]
    of: String,
    n: i64,
}

fn count(of: &str, n: i64) -> Count {
    Count { of: of.into(), n }
}

#[test]
fn only_the_columns_of_the_projection_are_made() {
    for (runs, threads) in (1..).zip([1, 2, 3]) {
        let pipeline = pipeline();
        let cats = pipeline.read_with(
            source(|cats: Subject<Cat>| {
                let heavy = |key, city| {
                    let genus = if key % 3 == 0 { Genus::Felis } else { Genus::Lynx };
                    Cat { weight: Counted(HEAVY), ..cat(key, genus, city) }
                };
                for key in 0..20 {
                    cats.next(heavy(key, "Oslo"))?;
                }
                cats.commit()?;
                // The first update is of another column, and the second removes a row.
                cats.next(heavy(0, "Rome"))?;
                cats.remove(3)?;
                cats.commit()?;
                cats.next(heavy(6, "Rome"))?;
                Ok(())
            }),
            ReadOptions::new().autocommit(None),
        );
        let counts = cats.columns::<OnlyGenus>().compute(|cats| {
            cats.map(|cat| format!("{:?}", cat.genus)).count().map(|(of, n)| Count { of, n: n as i64 })
        });
        let counts = commits(&counts);
        run_on(pipeline, Workers::threads(threads)).unwrap();
        let updates: Vec<_> = counts.try_iter().map(|Seen { updates, .. }| updates).collect();
        // An update of other columns has no result.
        assert_eq!(
            updates,
            [
                vec![(count("Felis", 7), 1), (count("Lynx", 13), 1)],
                vec![(count("Felis", 7), -1), (count("Felis", 6), 1)]
            ]
        );
        // Each of the 22 pushes has checked that its value can be read back.
        assert_eq!(MADE.load(Ordering::Relaxed), 22 * runs);
    }
}

#[derive(Schema)]
#[schema(dataflow)]
struct City {
    city: String,
}

/// Columns in another order, by other fields and of wider types.
#[derive(Schema)]
#[schema(dataflow)]
struct Wide {
    #[schema(with = "tenths")]
    weight: Counted,
    #[schema(flatten)]
    place: City,
    zip: Option<i64>,
    #[schema(skip)]
    _not_a_column: u64,
    #[schema(rename = "numberOfLegs", default = 3)]
    legs: u16,
    genus: Arc<str>,
    owner: Option<Box<str>>,
    #[schema(primary_key)]
    key: i64,
}

#[test]
fn columns_are_found_by_name_and_read_as_wider_types() {
    let pipeline = pipeline();
    let cats = pipeline.read(source(|cats: Subject<Cat>| {
        cats.next(cat(1, Genus::Lynx, "Bern"))?;
        let json = r#"{"key": 2, "family": "felis", "city": "\"", "zip": 9, "owner": {"name": "Ann"}, "weight": 50}"#;
        Ok(cats.next_json(json)?)
    }));
    let wide = commits(&cats.columns::<Wide>().compute(|cats| cats));
    run(pipeline).unwrap();
    let row = |key, genus: &str, city: &str, zip, owner: Option<&str>, weight| Wide {
        weight: Counted(weight),
        place: City { city: city.into() },
        zip: Some(zip),
        _not_a_column: 0,
        legs: 4,
        genus: genus.into(),
        owner: owner.map(Into::into),
        key,
    };
    let rows: BTreeMap<i64, Wide> = next(&wide).updates.into_iter().map(|(row, _)| (row.key, row)).collect();
    let expected = [row(1, "lynx", "Bern", 7, None, 3), row(2, "felis", "\"", 9, Some("Ann"), 5)];
    assert_eq!(rows.into_values().collect::<Vec<_>>(), expected);
}

#[derive(Schema, Debug, Clone, PartialEq)]
struct Named {
    name: String,
    of: u64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct AsGenus {
    name: Genus,
}

#[test]
fn a_value_that_the_projection_does_not_have_ends_the_run() {
    let pipeline = pipeline();
    let named = pipeline.read(source(|named: Subject<Named>| {
        named.next(Named { name: "felis".into(), of: 1 })?;
        Ok(named.next(Named { name: "puma".into(), of: 2 })?)
    }));
    let counts = named
        .columns::<AsGenus>()
        .compute(|rows| rows.map(|row| format!("{:?}", row.name)).count().map(|(of, n)| Count { of, n: n as i64 }));
    let _counts = commits(&counts);
    let error = run(pipeline).unwrap_err().to_string();
    let reason =
        r#"cannot read column `name` of `Named` for `AsGenus`: expected "felis" or "lynx", found the string "puma""#;
    assert!(error.ends_with(reason), "{error}");
}

#[derive(Schema)]
#[schema(dataflow)]
struct Key {
    key: i64,
}

#[derive(Schema)]
#[schema(dataflow)]
struct KeyAndCity {
    key: i64,
    city: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Owner {
    cat: i64,
    name: String,
}

#[test]
fn projections_are_accepted_like_tables() {
    for threads in [1, 2] {
        let pipeline = pipeline();
        let (cats, owners) = pipeline.read(source(|(cats, owners): (Subject<Cat>, Subject<Owner>)| {
            cats.next(cat(1, Genus::Lynx, "Bern"))?;
            cats.next(cat(2, Genus::Felis, "Kiel"))?;
            Ok(owners.next(Owner { cat: 2, name: "Ann".into() })?)
        }));
        // Two projections of one table, and one of another, with and without a nested tuple.
        let (genera, cities) = (cats.columns::<OnlyGenus>(), cats.columns::<KeyAndCity>());
        let rows = compute((&genera, (&cities, &owners)), |_scope, (genera, (cities, owners))| {
            let owners = owners.map(|owner| (owner.cat, owner.name));
            let owned =
                cities.map(|cat| (cat.key, cat.city)).join_map(owners, |_, city, name| format!("{name} in {city}"));
            let genera = genera.map(|cat| format!("{:?}", cat.genus));
            owned.concat(genera).count().map(|(of, n)| Count { of, n: n as i64 })
        });
        // A projection of a derived table.
        let names = rows.columns::<Of>().compute(|rows| rows.map(|row| Of { of: format!("<{}>", row.of) }));
        let (rows, names) = (commits(&rows), commits(&names));
        run_on(pipeline, Workers::threads(threads)).unwrap();
        let expected = ["Ann in Kiel", "Felis", "Lynx"];
        assert_eq!(next(&rows).updates, expected.map(|of| (count(of, 1), 1)));
        assert_eq!(next(&names).updates, expected.map(|of| (Of { of: format!("<{of}>") }, 1)));
    }
}

#[derive(Schema)]
#[schema(dataflow)]
struct Of {
    of: String,
}

/// Rows that differ in the table can be one row of the projection.
#[test]
fn equal_rows_of_a_projection_are_counted() {
    let pipeline = pipeline();
    let cats = pipeline.read(source(|cats: Subject<Cat>| {
        for key in 0..3 {
            cats.next(cat(key, Genus::Lynx, "Bern"))?;
        }
        cats.commit()?;
        Ok(cats.remove(1)?)
    }));
    let cities = commits(&cats.columns::<City>().compute(|cats| cats));
    let keys = commits(&cats.columns::<Key>().compute(|cats| cats));
    run(pipeline).unwrap();
    let city = || City { city: "Bern".into() };
    assert_eq!(next(&cities).updates, [(city(), 3)]);
    assert_eq!(next(&cities).updates, [(city(), -1)]);
    assert_eq!(next(&keys).updates, [0, 1, 2].map(|key| (Key { key }, 1)));
    assert_eq!(next(&keys).updates, [(Key { key: 1 }, -1)]);
}

/// The computation receives equal rows of one commit as one row.
#[test]
fn equal_rows_of_a_commit_are_computed_on_once() {
    const CATS: i64 = 1000;
    let pipeline = pipeline();
    let cats = pipeline.read_with(
        source(|cats: Subject<Cat>| {
            let city = |key| if key % 2 == 0 { "Bern" } else { "Kiel" };
            for key in 0..CATS {
                cats.next(cat(key, Genus::Lynx, city(key)))?;
            }
            cats.commit()?;
            // A quarter of the cats move, and the others change in another column.
            for key in 0..CATS {
                cats.next(cat(key, Genus::Felis, if key % 4 == 0 { "Kiel" } else { city(key) }))?;
            }
            Ok(cats.commit()?)
        }),
        ReadOptions::new().autocommit(None).backlog(100_000),
    );
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let cities = cats.columns::<City>().compute(move |cats| {
        let counted = Arc::clone(&counted);
        cats.map(move |cat| {
            counted.fetch_add(1, Ordering::Relaxed);
            cat
        })
    });
    let cities = commits(&cities);
    run(pipeline).unwrap();
    let city = |city: &str| City { city: city.into() };
    assert_eq!(next(&cities).updates, [(city("Bern"), CATS / 2), (city("Kiel"), CATS / 2)]);
    let moved = CATS / 4;
    assert_eq!(next(&cities).updates, [(city("Bern"), -moved), (city("Kiel"), moved)]);
    assert_eq!(calls.load(Ordering::Relaxed), 4);
}
