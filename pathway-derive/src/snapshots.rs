//! Takes snapshots of the input and the expansion of each macro, and checks that the expansion is hygienic. The inputs
//! without mistakes compile in `ui-tests/pass/snapshots.rs`.
//!
//! `INSTA_UPDATE=always cargo test -p pathway-derive snapshots` stores the new expansions. Review them before you
//! commit.

use proc_macro2::TokenStream;
use quote::quote;

use crate::hygiene;

fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).unwrap())
}

/// Returns the input and the output, formatted.
fn shown(input: &TokenStream, output: TokenStream) -> String {
    format!("{}\n// expands to\n\n{}", pretty(input.clone()), pretty(output))
}

fn schema(input: TokenStream) -> String {
    expanded(input, |input| crate::schema::derive(&syn::parse2(input).unwrap()))
}

fn column(input: TokenStream) -> String {
    expanded(input, |input| crate::column::derive(&syn::parse2(input).unwrap()))
}

fn expanded(input: TokenStream, expand: impl Fn(TokenStream) -> TokenStream) -> String {
    let foreign = hygiene::with_foreign_prelude(input.clone());
    hygiene::assert(&foreign, &expand(foreign.clone()));
    let output = expand(input.clone());
    shown(&input, output)
}

/// The first code block of each section is a macro's input, and the others together are its expansion.
#[test]
fn the_page_shows_the_expansions() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/expansion.md")).unwrap();
    let blocks = |section: &str| -> (TokenStream, String) {
        let code = section.split("```rust,ignore\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
        let (input, expansion) = code.clone().take(1).zip([code.skip(1).collect::<String>()]).next().unwrap();
        (input.parse().unwrap(), pretty(expansion.parse().unwrap()))
    };
    let (schema, connector) = page.split_once("## `#[connector]`").unwrap();
    let (input, shown) = blocks(schema);
    assert_eq!(shown, pretty(crate::schema::derive(&syn::parse2(input).unwrap())));
    let (input, shown) = blocks(connector);
    assert_eq!(shown, pretty(crate::connector::expand(quote!(autocommit = "100ms"), input)));
}

#[test]
fn schema_plain() {
    insta::assert_snapshot!(schema(quote! {
        /// Cats.
        struct Cat {
            #[schema(primary_key)]
            key: i64,
            #[schema(default = "felis", rename = "name", alias = "species")]
            genus: String,
            weight: Option<f64>,
        }
    }));
}

#[test]
fn schema_flatten() {
    insta::assert_snapshot!(schema(quote! {
        #[schema(append_only)]
        struct Visit {
            #[schema(flatten, primary_key)]
            cat: Cat,
            #[schema(flatten)]
            place: Place,
            hour: u8,
        }
    }));
}

#[test]
fn schema_converted() {
    insta::assert_snapshot!(schema(quote! {
        struct Cat {
            #[schema(primary_key, with = hex)]
            collar: Color,
            #[schema(try_from = u32, into = u32, default = Even(4))]
            legs: Option<Even>,
        }
    }));
}

#[test]
fn schema_path() {
    insta::assert_snapshot!(schema(quote! {
        struct Offer {
            #[schema(path = "seller.name")]
            seller: String,
            #[schema(path = "images[0].url", default)]
            image: String,
        }
    }));
}

#[test]
fn schema_json_and_data() {
    insta::assert_snapshot!(schema(quote! {
        struct Log {
            data: String,
            #[schema(json, default)]
            fields: Fields,
            #[schema(json)]
            place: Option<Place>,
        }
    }));
}

#[test]
fn schema_dataflow() {
    insta::assert_snapshot!(schema(quote! {
        #[schema(dataflow)]
        struct Sighting {
            #[schema(flatten)]
            place: Place,
            seen: jiff::Timestamp,
            #[schema(json)]
            notes: Option<Notes>,
            weight: f64,
        }
    }));
}

/// No snapshot is taken, because the output contains the paths of the files.
#[test]
fn the_checks_of_samples_and_locks_are_hygienic() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name| directory.path().join(name).display().to_string();
    let (sample, lock) = (path("cats.csv"), path("cat.schema.json"));
    std::fs::write(&sample, "key,nick,mood\n1,tom,calm\n").unwrap();
    std::fs::write(
        &lock,
        r#"{"lock": 1, "name": "Cat", "append_only": false, "deny_unknown": false, "columns": [
            {"name": "key", "type": "i64"}, {"name": "nick", "type": "String"}, {"name": "mood", "type": "String"}]}"#,
    )
    .unwrap();
    let output = schema(quote! {
        #[schema(sample = #sample, lock = #lock)]
        struct Cat {
            key: i64,
            nick: model::Nick,
            mood: model::Mood,
        }
    });
    assert!(!output.contains("compile_error"), "{output}");
}

#[test]
fn schema_with_mistakes() {
    insta::assert_snapshot!(schema(quote! {
        struct Cat<'a> {
            #[schema(primary_ky)]
            key: i64,
            genus: &'a str,
        }
    }));
}

#[test]
fn column_enum() {
    insta::assert_snapshot!(column(quote! {
        #[column(rename_all = "lowercase")]
        enum Mood {
            Calm,
            #[column(rename = "hiss!", alias = "angry")]
            Angry,
            #[column(other)]
            Unknown,
        }
    }));
}

#[test]
fn column_newtype() {
    insta::assert_snapshot!(column(quote! {
        struct Id(u64);
    }));
}

#[test]
fn connector() {
    let input = quote! {
        impl Cats {
            fn run(&mut self, cats: Subject<Cat>, dogs: Subject<Dog>) -> RunResult {
                Ok(())
            }
            fn on_stop(&mut self) {}
        }
    };
    let options = quote!(name = "cats", autocommit = "100ms", eager);
    insta::assert_snapshot!(expanded(input, |input| crate::connector::expand(options.clone(), input)));
}

#[test]
fn connector_async() {
    let input = quote! {
        impl Cats {
            async fn run(&mut self, cats: AsyncSubject<Cat>) -> RunResult {
                cats.next(Cat { key: 1 }).await?;
                Ok(())
            }
            async fn on_stop(&mut self) {}
        }
    };
    let options = quote!(name = "cats", stop = "5s");
    insta::assert_snapshot!(expanded(input, |input| crate::connector::expand(options.clone(), input)));
}

#[test]
fn rarer_forms_and_stubs_are_hygienic() {
    let connectors = [
        "impl<T: Send> Cats<T> where T: Copy { fn run(&mut self, cats: Subject<Cat, u64>, more: More) { more.end(cats) } }",
        "impl Cats { #[cfg(unix)] fn run(&mut self, cats: Cats) -> Result<(), &str> { Ok(()) } }",
        "impl Cats { fn run(&mut self, cats: &Subject<Cat>, x: String) {} }",
        "impl Cats { fn run(&mut self, cats: Subject<Cat>, part: Partition) {} }",
        "impl Cats { async fn run(self) {} fn on_stop(&self) {} }",
        "impl Cats { async fn run(&mut self, cats: Subject<Cat>) {} }",
        "impl Cats { fn run(&mut self, cats: AsyncSubject<Cat>) {} }",
        "impl<T> Cats<T> { async fn run(&mut self, cats: AsyncSubject<Cat, u64>, more: More, part: Partition) {} }",
        "impl Cats { fn run(&mut self, cats: Subject<impl Schema>) {} }",
        "impl Cats {}",
        "struct Cats;",
    ];
    let schemas = [
        "struct Cat { #[schema(primary_key)] a: Id, #[schema(primary_key)] b: String, #[schema(flatten, primary_key)] c: Dog }",
        "struct Cat { data: String, #[schema(default)] level: u8, #[schema(default = \"x\")] name: Option<String> }",
        "struct Cat { #[schema(example = 4.5)] weight: f64, #[schema(json, example = vec![1])] marks: Marks }",
        "struct Cat<'a, T: Clone, const N: usize> { #[schema(primary_key)] a: T, data: &'a str, x: [u8; N] }",
        "enum Cat { Small }",
    ];
    let columns =
        ["struct Id<'a, T>(T);", "enum Mood<T> { Calm(T) }", "struct Place { x: f64, y: f64 }", "enum Never {}"];
    let parsed = |text: &str| text.parse::<TokenStream>().unwrap();
    for text in connectors {
        let input = hygiene::with_foreign_prelude(parsed(text));
        hygiene::assert(&input, &crate::connector::expand(quote!(), input.clone()));
    }
    for text in schemas {
        schema(parsed(text));
    }
    for text in columns {
        column(parsed(text));
    }
}

#[test]
fn next() {
    let call = quote!(cats, Cat { key: 1, genus, weight: text.parse()?, home: Place { x: 1 }, .. });
    let output = crate::next::expand(quote!((pathway_io) #call));
    let foreign = hygiene::with_foreign_prelude(call.clone());
    hygiene::assert(&foreign, &crate::next::expand(quote!((::pathway_io) #foreign)));
    insta::assert_snapshot!(shown(
        &quote!(
            fn input() {
                next!(#call)
            }
        ),
        quote!(fn output() { #output })
    ));
}
