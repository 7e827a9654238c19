//! The contents of a lock. `ui-tests/schema/24_*` test the comparison.

use std::fs;

use proc_macro2::Span;
use syn::{DeriveInput, LitStr, parse_quote};

use super::accept::{lock_of, replace};
use super::compare::compare;
use crate::ctxt::Ctxt;
use crate::files::data_type::DataType;
use crate::files::lock::{Lock, LockedColumn};
use crate::schema::ast::Schema;

fn accepted(input: &DeriveInput, old: Option<&Lock>) -> Lock {
    let ctxt = Ctxt::new();
    let schema = Schema::from_input(&ctxt, input);
    assert!(ctxt.check().is_empty());
    lock_of(&schema, old)
}

#[test]
fn a_lock_has_the_columns_of_the_struct() {
    let input = parse_quote! {
        #[schema(rename_all = "camelCase", append_only)]
        struct Cat {
            /// The "number".
            #[schema(primary_key)]
            key: i64,
            #[schema(default = "felis", alias = "g")]
            genus_name: Option<std::string::String>,
            marks: Vec<(u8, [f32; 2])>,
            #[schema(path = "photo.raw")]
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
    { "name": "raw", "type": "Vec<u8>", "path": "photo.raw" },
    { "name": "more", "type": "Value", "optional": true },
    { "flatten": "model::Place", "field": "place", "primary_key": true }
  ]
}
"#;
    assert_eq!(accepted(&input, None).print(), text);
}

fn types(lock: &Lock) -> String {
    let types = lock.columns().map(|LockedColumn { data_type, optional, .. }| match optional {
        true => format!("Option<{data_type}>"),
        false => data_type.to_string(),
    });
    types.collect::<Vec<_>>().join(" | ")
}

#[test]
fn names_of_well_known_types_are_taken_for_those() {
    let input = parse_quote! {
        struct Cat {
            a: chrono::DateTime<Utc>, b: Option<uuid::Uuid>, c: Vec<Cow<'static, str>>, d: Elsewhere, e: Vec<Elsewhere>,
            f: HashMap<String, Option<PathBuf>>, g: BTreeSet<u64>, h: Box<NonZero<u8>>, i: SystemTime, j: [char; 2],
            k: pathway_io::RawJson, l: NonZeroI16,
        }
    };
    let lock = accepted(&input, None);
    let expected = "Timestamp | Option<Uuid> | Vec<String> | _ | _ | Map<String, Option<String>> | Vec<u64> | u8 | \
                    Timestamp | [char; 2] | Value | i16";
    assert_eq!(types(&lock), expected);

    // A type that the user wrote into the lock stays.
    let text = lock.print().replace("\"d\"", "\"d\", \"type\": \"Date\", \"optional\": true");
    let lock = accepted(&input, Some(&Lock::parse(&text).unwrap()));
    assert_eq!(types(&lock), expected.replacen('_', "Option<Date>", 1));
}

#[test]
fn a_lock_is_replaced_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("cat.json");
    replace(&place, b"one").unwrap();
    replace(&place, b"two").unwrap();
    assert_eq!(fs::read(&place).unwrap(), b"two");
    // A directory cannot be replaced by a file, and no temporary file must remain.
    let taken = directory.path().join("taken");
    fs::create_dir_all(taken.join("x")).unwrap();
    assert!(replace(&taken, b"three").is_err());
    assert!(replace(&directory.path().join("no").join("cat.json"), b"four").is_err());
    let mut names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["cat.json", "taken"]);
}

/// Returns the errors for a struct whose lock has this text.
fn differences(input: &DeriveInput, lock: &str) -> String {
    let ctxt = Ctxt::new();
    let schema = Schema::from_input(&ctxt, input);
    let literal = LitStr::new("cat.schema.json", Span::call_site());
    compare(&ctxt, &schema, &literal, &Lock::parse(lock).unwrap(), false);
    ctxt.check().to_string()
}

#[test]
fn the_prefix_of_a_flattened_schema_is_in_the_lock() {
    let with = |prefix: Option<&str>| -> DeriveInput {
        let prefix = prefix.map(|prefix| quote::quote!(, prefix = #prefix));
        parse_quote! {
            struct Cat {
                key: i64,
                #[schema(flatten #prefix)]
                from: Place,
            }
        }
    };
    let prefixes = [None, Some("from_"), Some("src_")];
    for old in prefixes {
        let lock = accepted(&with(old), None).print();
        assert_eq!(Lock::parse(&lock).unwrap().print(), lock);
        for new in prefixes {
            let errors = differences(&with(new), &lock);
            let shown =
                |prefix: Option<&str>| prefix.map_or("no prefix".to_owned(), |text| format!("the prefix `{text}`"));
            let [was, is] = [old, new].map(shown);
            let expected = format!("the columns of `from` had {was} in `cat.schema.json` and now have {is}");
            assert_eq!(errors.contains(&expected), old != new, "{errors}");
            assert_eq!(errors.is_empty(), old == new, "{errors}");
        }
    }
}

#[test]
fn a_text_that_becomes_a_character_is_another_type() {
    let of = |ty: syn::Type| -> DeriveInput { parse_quote!(struct Cat { mark: #ty }) };
    let [text, character] = [parse_quote!(Vec<String>), parse_quote!(Vec<char>)].map(of);
    let [texts, characters] = [&text, &character].map(|input| accepted(input, None).print());
    assert!(characters.contains("\"type\": \"Vec<char>\""), "{characters}");
    assert!(differences(&character, &texts).contains("was `Vec<String>` in `cat.schema.json` and is now `Vec<char>`"));
    for (input, lock) in [(&text, &characters), (&text, &texts), (&character, &characters)] {
        assert_eq!(differences(input, lock), "");
    }
}

#[test]
fn a_list_of_bytes_by_another_name_is_not_bytes() {
    let input = parse_quote! {
        struct Cat { a: Vec<u8>, b: Vec<Level>, c: Vec<NonZero<u8>>, d: BTreeSet<Box<u8>>, e: Vec<Vec<Level>>, f: BTreeSet<u8> }
    };
    let lock = accepted(&input, None);
    assert_eq!(types(&lock), "Vec<u8> | _ | List<u8> | List<u8> | _ | Vec<u8>");
    // The compiler's error names an entry, and the lock takes it.
    let text = lock.print().replace("\"b\"", "\"b\", \"type\": \"List<u8>\"");
    let lock = Lock::parse(&text).unwrap();
    assert_eq!(lock.column("b").unwrap().data_type, DataType::List(Box::new(DataType::Plain("u8"))));
    assert_eq!(lock.print(), text);
    for list in ["List<i64>", "List<Option<u8>>", "List"] {
        assert_eq!(DataType::parse(list), None, "{list}");
    }
    let bytes = pathway_io::DataType::List(&pathway_io::DataType::U8);
    assert_eq!(bytes.to_string(), "List<u8>");
}
