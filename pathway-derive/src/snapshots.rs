//! What each macro expands to, beside what it is given, and that it is hygienic. The inputs without mistakes compile in `ui-tests/pass/snapshots.rs`.
//!
//! `INSTA_UPDATE=always cargo test -p pathway-derive snapshots` takes new expansions; read them before they are committed.

use proc_macro2::TokenStream;
use quote::quote;

use crate::hygiene;

/// The input and the output as rustfmt would have them.
fn shown(input: &TokenStream, output: TokenStream) -> String {
    let pretty = |tokens: TokenStream| prettyplease::unparse(&syn::parse2(tokens).unwrap());
    format!("{}\n// expands to\n\n{}", pretty(input.clone()), pretty(output))
}

fn schema(input: TokenStream) -> String {
    expanded(input, |input| crate::schema::derive(&syn::parse2(input).unwrap()))
}

fn column(input: TokenStream) -> String {
    expanded(input, |input| crate::column::derive(&syn::parse2(input).unwrap()))
}

fn expanded(input: TokenStream, expand: impl Fn(TokenStream) -> TokenStream) -> String {
    let foreign = hygiene::foreign(input.clone());
    hygiene::assert(&foreign, &expand(foreign.clone()));
    let output = expand(input.clone());
    shown(&input, output)
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
    let options = quote!(name = "cats", autocommit = "100ms");
    insta::assert_snapshot!(expanded(input, |input| crate::connector::expand(options.clone(), input)));
}

#[test]
fn next() {
    let call = quote!(cats, Cat { key: 1, genus, weight: text.parse()?, home: Place { x: 1 }, .. });
    let output = crate::next::expand(quote!((pathway_io) #call));
    let foreign = hygiene::foreign(call.clone());
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
