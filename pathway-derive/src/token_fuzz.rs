//! Checks that no macro panics, whatever its tokens, and that the output can be parsed.
//!
//! `FUZZ_CASES=1000000 cargo test -p pathway-derive token_fuzz` tries more.

use proc_macro2::{Group, TokenStream, TokenTree};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use syn::{Expr, File, Item};

const SCHEMAS: &str = r#"
    /// Cats.
    #[schema(rename_all = "camelCase", append_only, deny_unknown, crate = some::path, sample = "x", lock = "y", dataflow)]
    pub struct Cat<'a, T: Clone> where T: Copy {
        #[schema(primary_key)] key: i64,
        #[schema(default = -1, rename = "g", alias = "h", example = Some(3))] genus: Option<String>,
        #[schema(flatten, primary_key)] animal: model::Animal,
        #[schema(json, default)] place: &'static str,
        r#type: [u8; 4] = [0; 4],
    }
    enum Mood { Calm, Angry { at: i64 } }
    struct Id(u64);
    #[schema(sample = "../ui-tests/schema/cats.jsonl", lock = "../ui-tests/schema/cat.schema.json", deny_unknown)]
    struct Cat {
        #[schema(primary_key)] key: i64,
        #[schema(alias = "genus", default)] name: Option<String>,
        legs: u8, tags: Vec<Tag>, home: (f64, [u16; 2]), #[schema(flatten)] place: Place,
    }
    #[schema(sample = "../ui-tests/schema/cats.csv", lock = "../Cargo.toml", lock = "../nothing.json", rename_all = "lowercase")]
    struct CAT { KEY: i64, GENUS: String, weight: Option<f32>, r#type: Type, #[schema(json)] x: X }
"#;

const COLUMNS: &str = r#"
    #[column(rename_all = "kebab-case", crate = some::path)]
    pub enum Mood<'a, T> { Calm, #[column(rename = "Calm", alias = "mad")] Angry, #[column(other)] Else, Odd(f64), r#type { a: i64 } }
    #[column(rename_all = "lowercase")]
    struct Id<T>(Option<T>, #[column(rename = "x", other, alias = "y")] &'static str);
    union Both { a: u8 }
    #[column(crate = some::Self)] struct Weight(f64);
    #[column(crate = some::<u8>::path)] struct Height(f64);
"#;

const CONNECTORS: &str = r#"
    (name = "cats", autocommit = "100ms", eager, backlog = 10_000, crate = some::path, autocommit = off)
    impl<T: Send> Cats<T> where T: Copy {
        #[cfg(unix)] pub async unsafe fn run<'a>(&mut self, cats: Subject<Cat, u64>, mut dogs: &Subject<Dog>) -> Result<(), &str> { Ok(()) }
        fn on_stop(self: &mut Self, x: i64) -> impl Drop {}
        const X: u8 = 1;
    }
    fn run(cats: Subject<Cat>) {}
    impl Connector for Cats { type Subjects = (); }
"#;

const ROWS: &str = r#"
    (crate) &self.cats, model::Cat::<u8> { key: 1, r#type: "felis", #[cfg(x)] weight: Some(4.5)?, nick, animal: Animal { legs: -4, .. }, ..base }
    (crate) cats, 1, "felis", key = 1
    (crate) { cats }.next(), Self { key: text.parse()?, type: vec![], .. }
"#;

/// A change of the tokens: the position, the word, and the kind of change.
type Change = (usize, usize, u8);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 0..8)
}

/// Returns the tokens, including those in groups.
fn vocabulary(tokens: TokenStream) -> Vec<TokenTree> {
    let inner = |token: &TokenTree| match token {
        TokenTree::Group(group) => vocabulary(group.stream()),
        _ => Vec::new(),
    };
    tokens.into_iter().flat_map(|token| [inner(&token), vec![token]].concat()).collect()
}

/// Returns the tokens with the token at position `at`, in depth-first order, changed.
fn change(tokens: TokenStream, at: &mut usize, word: &TokenTree, how: u8) -> TokenStream {
    let mut changed = TokenStream::new();
    for token in tokens {
        let here = *at == 0;
        *at = at.wrapping_sub(1);
        match (here, how % 5) {
            (true, 0) => {}
            (true, 1) => changed.extend([token.clone(), token]),
            (true, 2) => changed.extend([word.clone()]),
            (true, 3) => changed.extend([token, word.clone()]),
            (true, _) => changed.extend([word.clone(), token]),
            (false, _) => match token {
                TokenTree::Group(group) => {
                    let inner = change(group.stream(), at, word, how);
                    changed.extend([TokenTree::Group(Group::new(group.delimiter(), inner))]);
                }
                token => changed.extend([token]),
            },
        }
    }
    changed
}

fn mutate(tokens: TokenStream, words: &[TokenTree], changes: &[Change]) -> TokenStream {
    changes.iter().fold(tokens, |tokens, (place, word, how)| {
        let mut at = place % vocabulary(tokens.clone()).len().max(1);
        change(tokens, &mut at, &words[word % words.len()], *how)
    })
}

/// Runs `check` on changed tokens of one of the `inputs`.
fn check_changed_tokens(inputs: &[TokenStream], check: impl Fn(TokenStream)) {
    let words: Vec<TokenTree> = inputs.iter().cloned().flat_map(vocabulary).collect();
    let cases = std::env::var("FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&(0..inputs.len(), changes()), |(input, changes)| {
        check(mutate(inputs[input].clone(), &words, &changes));
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
}

fn items(text: &str) -> Vec<TokenStream> {
    let file: File = syn::parse_str(text).unwrap();
    file.items.iter().map(quote::ToTokens::to_token_stream).collect()
}

fn assert_items(output: &TokenStream) {
    assert!(syn::parse2::<File>(output.clone()).is_ok(), "{output}");
}

fn lines(text: &str) -> Vec<TokenStream> {
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| line.parse().unwrap()).collect()
}

#[test]
fn any_tokens_of_schema_gives_items() {
    check_changed_tokens(&items(SCHEMAS), |tokens| {
        assert_items(&crate::item::derive(tokens, crate::schema::derive));
    });
}

#[test]
fn any_tokens_of_column_gives_items() {
    check_changed_tokens(&items(COLUMNS), |tokens| {
        assert_items(&crate::item::derive(tokens, crate::column::derive));
    });
}

#[test]
fn any_tokens_of_connector_gives_items() {
    let (options, blocks) = CONNECTORS.trim().split_once('\n').unwrap();
    let inputs: Vec<TokenStream> = items(blocks)
        .into_iter()
        .map(|item| {
            let options: TokenStream = options.parse().unwrap();
            quote::quote!(#options #item)
        })
        .collect();
    check_changed_tokens(&inputs, |tokens| {
        let mut tokens = tokens.into_iter();
        let options = match tokens.next() {
            Some(TokenTree::Group(group)) => group.stream(),
            other => other.into_iter().collect(),
        };
        let item: TokenStream = tokens.collect();
        let output = crate::connector::expand(options, item.clone());
        // The output repeats tokens that are not an item, so it cannot be parsed either.
        if syn::parse2::<Item>(item).is_ok() {
            assert_items(&output);
        }
    });
}

#[test]
fn any_tokens_of_next_gives_an_expression() {
    check_changed_tokens(&lines(ROWS), |tokens| {
        // The public macro always passes the crate.
        let tokens: TokenStream = tokens.into_iter().skip(1).collect();
        let output = crate::next::expand(quote::quote!((crate) #tokens));
        assert!(syn::parse2::<Expr>(output.clone()).is_ok(), "{output}");
        // An editor expands any tokens.
        let _ = crate::next::sketch::expand(quote::quote!((crate) #tokens));
    });
}
