//! The description that `#[derive(Schema)]` generates for a struct.

use pathway_io::{DataType, Keyed, Schema};
use serde_json::json;

/// Cats, as zoologists
/// list them.
#[derive(Schema, Debug, PartialEq)]
#[schema(rename_all = "camelCase", deny_unknown)]
struct Cat {
    /// The number in the catalogue.
    #[schema(primary_key)]
    key: i64,
    #[schema(default = "felis", alias = "genre", alias = "g")]
    genus_name: String,
    #[schema(rename = "kg", default = -1.5, example = 4.0)]
    weight: Option<f64>,
    #[schema(default)]
    tags: Vec<String>,
    r#type: Option<String>,
}

#[test]
fn a_schema_describes_names_types_and_defaults() {
    let schema = Cat::schema();
    assert_eq!(schema.name, "Cat");
    assert_eq!(schema.description, "Cats, as zoologists\nlist them.");
    assert!(schema.deny_unknown && !schema.append_only);
    let names: Vec<_> = schema.columns.iter().map(|column| column.name).collect();
    assert_eq!(names, ["key", "genusName", "kg", "tags", "type"]);
    let [key, genus, weight, tags, kind] = schema.columns else { panic!("{schema:?}") };
    assert!(key.primary_key && !key.optional && !key.has_default);
    assert_eq!(key.description, "The number in the catalogue.");
    assert_eq!(genus.default_value(), Some(json!("felis")));
    assert_eq!(genus.aliases, ["genre", "g"]);
    assert_eq!((weight.data_type, weight.optional), (DataType::F64, true));
    assert_eq!((weight.default_value(), weight.example_value()), (Some(json!(-1.5)), Some(json!(4.0))));
    assert_eq!(tags.default_value(), Some(json!([])));
    assert_eq!(kind.default_value(), None);
}

#[test]
fn rows_return_their_keys() {
    let cat = Cat { key: 3, genus_name: "lynx".into(), weight: None, tags: vec![], r#type: None };
    assert_eq!(cat.key(), 3);
    assert_eq!(Cat::from_fields(cat.into_fields()).key, 3);
}

#[derive(Schema)]
#[schema(append_only)]
struct Vote {
    #[schema(primary_key)]
    user: String,
    #[schema(flatten, primary_key)]
    poll: Poll,
    #[schema(flatten)]
    place: Place,
    choice: bool,
}

#[derive(Schema)]
#[schema(rename_all = "camelCase")]
struct Place {
    polling_room: String,
    district: Option<u16>,
}

#[derive(Schema, Debug, PartialEq)]
struct Poll {
    #[schema(primary_key)]
    town: String,
    #[schema(primary_key)]
    number: u8,
    year: u16,
}

#[test]
fn the_columns_of_a_flattened_schema_replace_its_field() {
    let schema = Vote::schema();
    assert!(schema.append_only);
    let columns: Vec<_> = schema.columns.iter().map(|column| (column.name, column.primary_key)).collect();
    assert_eq!(
        columns,
        [
            ("user", true),
            ("town", true),
            ("number", true),
            ("year", false),
            ("pollingRoom", false),
            ("district", false),
            ("choice", false)
        ]
    );
    let poll = Poll { town: "Ulm".into(), number: 2, year: 2026 };
    let place = Place { polling_room: "12b".into(), district: None };
    let vote = Vote { user: "ann".into(), poll, place, choice: true };
    assert_eq!(vote.key(), ("ann".to_owned(), ("Ulm".to_owned(), 2)));
    let back = Vote::from_fields(vote.into_fields());
    assert_eq!((back.poll.year, back.place.polling_room.as_str(), back.choice), (2026, "12b", true));
}

#[derive(Schema)]
struct Line {
    data: String,
    #[schema(default = "here")]
    origin: String,
    level: Option<u8>,
}

#[test]
fn a_schema_serializes() {
    let schema = serde_json::to_value(Line::schema()).unwrap();
    assert_eq!(
        schema["columns"][1],
        json!({ "name": "origin", "type": "String", "optional": false, "primary_key": false, "default": "here" })
    );
    let line = Line { data: "x".into(), origin: "y".into(), level: None };
    let _ = (line.data, line.origin, line.level);
}
