//! What is written, and how. What the comparison says is in `ui-tests/schema/24_*`.

use std::fs;

use syn::{DeriveInput, File, parse_quote};

use super::accept::{lock_of, replace};
use super::guess::Source;
use crate::ctxt::Ctxt;
use crate::files::lock::Lock;
use crate::schema::ast::Schema;

fn accepted(input: &DeriveInput, old: Option<&Lock>, source: File) -> Lock {
    let ctxt = Ctxt::new();
    let schema = Schema::from_input(&ctxt, input);
    assert!(ctxt.check().is_empty());
    lock_of(&schema, old, Some(&Source::of(source.items)))
}

#[test]
fn a_lock_has_what_the_struct_has() {
    let input = parse_quote! {
        #[schema(rename_all = "camelCase", append_only)]
        struct Cat {
            /// The "number".
            #[schema(primary_key)]
            key: i64,
            #[schema(default = "felis", alias = "g")]
            genus_name: Option<std::string::String>,
            marks: Vec<(u8, [f32; 2])>,
            raw: Vec<u8>,
            #[schema(json)]
            more: Option<Anything>,
            #[schema(flatten, primary_key)]
            place: model::Place,
        }
    };
    let text = r#"{
  "lock": 1,
  "name": "Cat",
  "append_only": true,
  "deny_unknown": false,
  "columns": [
    { "name": "key", "type": "i64", "primary_key": true, "description": "The \"number\"." },
    { "name": "genusName", "type": "String", "optional": true, "has_default": true, "aliases": ["g"] },
    { "name": "marks", "type": "Vec<(u8, [f32; 2])>" },
    { "name": "raw", "type": "Vec<u8>" },
    { "name": "more", "type": "Value", "optional": true },
    { "flatten": "model::Place", "field": "place", "primary_key": true }
  ]
}
"#;
    assert_eq!(accepted(&input, None, parse_quote!()).print(), text);
}

#[test]
fn names_are_looked_up_in_the_source_file() {
    let source = || {
        parse_quote! {
            type Id = u64;
            mod model {
                pub struct Name(pub String);
                pub enum Mood { Calm, Angry }
                pub type Moods = Vec<Mood>;
            }
            type Either = u8;
            mod other { type Either = i8; }
            type Round = Again;
            type Again = Round;
        }
    };
    let input = parse_quote! {
        struct Cat {
            a: Id, b: Option<model::Name>, c: model::Moods, d: Either, e: Round, f: chrono::DateTime<Utc>, g: [Id; 2],
            h: Elsewhere, i: HashMap<String, Option<PathBuf>>, j: BTreeSet<Id>, k: Box<NonZero<u8>>, l: SystemTime,
        }
    };
    let types = |lock: &Lock| -> Vec<String> {
        let shown = lock.columns().map(|column| match &column.data_type {
            Some(data_type) if column.optional => format!("Option<{data_type}>"),
            Some(data_type) => data_type.to_string(),
            None => "?".to_owned(),
        });
        shown.collect()
    };
    let lock = accepted(&input, None, source());
    assert_eq!(
        types(&lock),
        [
            "u64",
            "Option<String>",
            "Vec<String>",
            "?",
            "?",
            "Timestamp",
            "[u64; 2]",
            "?",
            "Map<String, Option<String>>",
            "Vec<u64>",
            "u8",
            "Timestamp"
        ]
    );

    // A type that a user wrote for the question mark stays.
    let old =
        Lock::parse(&lock.print().replace("\"h\", \"type\": \"?\"", "\"h\", \"type\": \"Date\", \"optional\": true"));
    let lock = accepted(&input, Some(&old.unwrap()), source());
    assert_eq!(types(&lock)[7], "Option<Date>");
}

#[test]
fn a_lock_is_replaced_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("cat.json");
    replace(&place, b"one").unwrap();
    replace(&place, b"two").unwrap();
    assert_eq!(fs::read(&place).unwrap(), b"two");
    // over a directory nothing can be put, and nothing is left beside it
    let taken = directory.path().join("taken");
    fs::create_dir_all(taken.join("x")).unwrap();
    assert!(replace(&taken, b"three").is_err());
    assert!(replace(&directory.path().join("no").join("cat.json"), b"four").is_err());
    let mut names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["cat.json", "taken"]);
}
