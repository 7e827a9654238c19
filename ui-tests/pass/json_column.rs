//! Any serde type as one column, through every push and output.

use std::collections::BTreeMap;

use pathway_io::{RunResult, Schema, Subject, connector, csv, jsonlines, next};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Place {
    x: f64,
    #[serde(default)]
    tags: BTreeMap<String, u8>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(tag = "kind")]
enum Mood {
    Calm,
    Angry { at: String },
}

#[derive(Schema, Debug, PartialEq)]
struct Cat {
    #[schema(primary_key)]
    key: i64,
    #[schema(json)]
    place: Place,
    #[schema(json, default = Mood::Calm, example = Mood::Angry { at: "dog".into() })]
    mood: Mood,
    #[schema(json, alias = "former")]
    last: Option<Place>,
    #[schema(json)]
    anything: Option<()>,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        let place = Place { x: 0.1, tags: BTreeMap::from([("a,\"b".to_owned(), 1)]) };
        cats.next(Cat { key: 1, place: place.clone(), mood: Mood::Calm, last: Some(place.clone()), anything: Some(()) })?;
        cats.next_json(r#"{"key": 2, "place": {"x": 1e0, "unknown": 3}, "former": null}"#)?;
        let error = cats.next_json(r#"{"key": 3, "place": {"x": "far"}}"#).unwrap_err();
        assert!(error.to_string().contains("place"), "{error}");
        let angry = Mood::Angry { at: "rain".into() };
        next!(cats, Cat { key: 3, place: place.clone(), mood: angry, last: place, anything: () })?;
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let column = &Cat::schema().columns[2];
    assert_eq!(column.data_type, pathway_io::DataType::Json);
    assert_eq!(column.default_value().unwrap().to_string(), r#"{"kind":"Calm"}"#);
    assert!(!Cat::schema().columns[1].optional && Cat::schema().columns[3].optional);

    let directory = std::env::temp_dir();
    let (table, lines) = (directory.join("ui-json-column.csv"), directory.join("ui-json-column.jsonl"));
    let pipeline = pathway_io::Pipeline::new();
    let cats = pipeline.read(Cats);
    csv::write(&cats, &table);
    jsonlines::write(&cats, &lines);
    let updates = cats.commits(10);
    pipeline.run()?;
    let rows: Vec<Cat> =
        updates.iter().flat_map(|commit| commit.iter().map(|update| update.row).collect::<Vec<_>>()).collect();
    assert_eq!(rows[0].place.tags["a,\"b"], 1);
    assert_eq!((&rows[0].last, rows[0].anything), (&Some(rows[0].place.clone()), None));
    assert_eq!(rows[1].place, Place { x: 1.0, tags: BTreeMap::new() });
    assert_eq!((&rows[1].mood, &rows[1].last), (&Mood::Calm, &None));
    assert_eq!(rows[2].mood, Mood::Angry { at: "rain".into() });
    let table = std::fs::read_to_string(table)?;
    assert!(table.contains(r#"2,"{""x"":1.0,""tags"":{}}","{""kind"":""Calm""}",,,"#), "{table}");
    let lines = std::fs::read_to_string(lines)?;
    assert!(lines.contains(r#""place":{"x":1.0,"tags":{}},"mood":{"kind":"Calm"},"last":null"#), "{lines}");
    Ok(())
}
