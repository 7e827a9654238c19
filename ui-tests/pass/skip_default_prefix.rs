//! Fields that are not columns, a default for the whole struct, and two flattened rows of one type.

use pathway_io::{Keyed, RunResult, Schema, Subject, connector, next};

#[derive(Schema, Debug, Clone, PartialEq)]
struct Place {
    city: String,
    #[schema(alias = "postcode")]
    zip: Option<u32>,
}

#[derive(Schema, Debug, Clone, PartialEq)]
struct Owner {
    #[schema(primary_key)]
    id: u64,
    name: String,
}

/// The type of a field that is not a column. It is not a column type.
#[derive(Debug, Clone, PartialEq, Default)]
struct Cache(std::cell::Cell<u8>);

#[derive(Schema, Debug, Clone, PartialEq)]
#[schema(default)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    genus: String,
    legs: u8,
    #[schema(default = 9)]
    lives: u8,
    nick: Option<String>,
    #[schema(skip)]
    seen: u32,
    #[schema(flatten, prefix = "home_")]
    home: Place,
    #[schema(flatten, prefix = "work.")]
    work: Place,
    #[schema(flatten, prefix = "owner_", primary_key)]
    owner: Owner,
}

impl Default for Cat {
    fn default() -> Self {
        let place = Place { city: "?".into(), zip: None };
        Cat {
            key: 0,
            genus: "felis".into(),
            legs: 4,
            lives: 1,
            nick: Some("tom".into()),
            seen: 7,
            home: place.clone(),
            work: place,
            owner: Owner { id: 0, name: String::new() },
        }
    }
}

#[derive(Schema)]
#[schema(default = standard())]
struct Dog {
    legs: u8,
    data: String,
    #[schema(skip)]
    cache: Cache,
}

fn standard() -> Dog {
    Dog { legs: 4, data: "rex".into(), cache: Cache::default() }
}

struct Zoo;

#[connector]
impl Zoo {
    fn run(&mut self, cats: Subject<Cat>, dogs: Subject<Dog>) -> RunResult {
        cats.next_json(
            r#"{"key": 1, "home_city": "Bern", "home_postcode": 3000, "work.city": "Biel", "owner_id": 5, "owner_name": "ann"}"#,
        )?;
        next!(cats, Cat {
            key: 2,
            seen: 3u32,
            home: Place { city: "a", zip: 1 },
            work: Place { city: "b", .. },
            owner: Owner { id: 6u64, name: "bob" },
            ..
        })?;
        cats.commit()?;
        cats.remove((1, 5))?;
        dogs.next_json("{}")?;
        dogs.next_str("bello")?;
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let names: Vec<_> = Cat::schema().columns.iter().map(|column| column.name).collect();
    let expected = [
        "key", "genus", "legs", "lives", "nick", "home_city", "home_zip", "work.city", "work.zip", "owner_id", "owner_name",
    ];
    assert_eq!(names, expected);
    assert_eq!(Cat::schema().columns[6].aliases, ["home_postcode"]);
    assert_eq!(Cat::schema().columns[1].default_value(), Some("felis".into()));
    assert_eq!(Cat::schema().primary_key().map(|column| column.name).collect::<Vec<_>>(), ["key", "owner_id"]);

    let pipeline = pathway_io::Pipeline::new();
    let (cats, dogs) = pipeline.read(Zoo);
    let (cats, dogs) = (cats.commits(100), dogs.commits(100));
    pipeline.run()?;
    let cats: Vec<Cat> =
        cats.iter().flat_map(|commit| commit.iter().map(|update| update.row).collect::<Vec<_>>()).collect();
    let first = Cat {
        key: 1,
        lives: 9,
        seen: 0,
        home: Place { city: "Bern".into(), zip: Some(3000) },
        work: Place { city: "Biel".into(), zip: None },
        owner: Owner { id: 5, name: "ann".into() },
        ..Cat::default()
    };
    assert_eq!(cats[0], first);
    assert_eq!(cats[0].key(), (1, 5));
    assert_eq!((cats[1].seen, cats[1].lives, cats[1].work.city.as_str()), (0, 9, "b"));
    assert_eq!(cats.len(), 3);
    let dogs: Vec<String> =
        dogs.iter().flat_map(|commit| commit.iter().map(|update| update.row.data).collect::<Vec<_>>()).collect();
    assert_eq!(dogs, ["rex", "bello"]);
    Ok(())
}
