//! The features of Pathway's schemas in Rust: the rows of the table in `docs/coming-from-pathway.md` that name this
//! file.

use pathway_io::schema::{assert_matches, assert_same};
use pathway_io::{DataType, Keyed, Schema};
use serde_json::json;

/// What every animal has.
#[derive(Schema)]
struct Animal {
    /// Its number.
    #[schema(primary_key)]
    id: i64,
    #[schema(default = "nobody", example = "ann")]
    owner: String,
}

#[derive(Schema)]
struct Place {
    #[schema(rename = "@town")]
    town: Option<String>,
}

fn names(schema: &pathway_io::TableSchema) -> Vec<&'static str> {
    schema.columns.iter().map(|column| column.name).collect()
}

/// `class Cat(Animal)`.
#[derive(Schema)]
struct Cat {
    #[schema(flatten, primary_key)]
    animal: Animal,
    lives: u8,
}

#[test]
fn inheritance_is_flatten() {
    assert_eq!(names(Cat::schema()), ["id", "owner", "lives"]);
    assert!(Cat::schema().columns[0].primary_key);
    let cat = Cat { animal: Animal { id: 7, owner: "ann".into() }, lives: 9 };
    assert_eq!((cat.key(), cat.lives, cat.animal.owner.as_str()), (7, 9, "ann"));
}

/// `Animal | Place`.
#[derive(Schema)]
struct Both {
    #[schema(flatten, primary_key)]
    animal: Animal,
    #[schema(flatten)]
    place: Place,
}

#[test]
fn a_union_is_two_flattened_schemas() {
    assert_eq!(names(Both::schema()), ["id", "owner", "@town"]);
    let both = Both { animal: Animal { id: 1, owner: String::new() }, place: Place { town: None } };
    assert_eq!((both.animal.id, both.place.town), (1, None));
}

#[test]
fn column_definitions_are_attributes_and_doc_comments() {
    let [id, owner] = Animal::schema().columns else { panic!() };
    assert_eq!((id.description, id.primary_key, id.data_type), ("Its number.", true, DataType::I64));
    assert_eq!((owner.default_value(), owner.example_value()), (Some(json!("nobody")), Some(json!("ann"))));
    assert_eq!(Place::schema().columns[0].name, "@town");
    assert_eq!(Animal::schema().primary_key().map(|column| column.name).collect::<Vec<_>>(), ["id"]);
    assert_eq!(Animal::schema().column("owner").map(|column| column.optional), Some(false));
}

/// `Animal.with_types(id=str)`: a macro that has the type as a parameter defines both schemas.
macro_rules! animal_by {
    ($name:ident, $id:ty) => {
        #[derive(Schema)]
        struct $name {
            #[schema(primary_key)]
            id: $id,
            #[schema(default = "nobody")]
            owner: String,
        }
    };
}

animal_by!(ByNumber, i64);
animal_by!(ByName, String);
const _: () = assert_same::<ByNumber, Animal>();

#[test]
fn with_types_is_a_macro() {
    assert_eq!(ByName::schema().columns[0].data_type, DataType::Str);
    let (name, number) = (ByName { id: "a".into(), owner: String::new() }, ByNumber { id: 1, owner: String::new() });
    assert_eq!((name.key().as_str(), number.key(), name.owner, number.owner), ("a", 1, String::new(), String::new()));
}

/// `Cat.without(Cat.lives)` has the columns of `Animal`, from which `Cat` was composed.
const _: () = assert_matches::<Cat, Animal>();

/// `Cat.update_properties(append_only=True)`.
#[derive(Schema)]
#[schema(append_only)]
struct CatLog {
    #[schema(flatten, primary_key)]
    cat: Cat,
}

const _: () = assert_same::<CatLog, Cat>();

#[test]
fn the_outer_schema_determines_the_properties() {
    assert!(CatLog::schema().append_only && !Cat::schema().append_only);
    let log = CatLog { cat: Cat { animal: Animal { id: 1, owner: String::new() }, lives: 1 } };
    assert_eq!((log.key(), log.cat.key()), (1, 1));
}
