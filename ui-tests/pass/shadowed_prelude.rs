#![allow(dead_code)]

mod shadow {
    pub mod core {}
    pub mod std {}
    pub mod alloc {}
    pub mod pathway {}
    pub struct Option;
    pub struct Result;
    pub struct Box;
    pub struct Vec;
    pub struct String;
    pub struct Into;
    pub struct Ok;
    pub struct Some;
    pub struct None;
    pub struct Err;
    pub struct Default;
    pub trait Clone {}
    pub trait Send {}
    pub trait Sync {}
    pub trait From {}
    pub struct Pair;
    pub struct Field;
    pub struct Fields;
    pub struct TableSchema;
    pub struct COLUMNS;
    pub struct Self_;
    #[allow(non_camel_case_types)]
    pub struct str;
    #[allow(non_camel_case_types)]
    pub struct u16;
    #[allow(non_camel_case_types)]
    pub struct usize;
    #[allow(non_camel_case_types)]
    pub struct bool;

    #[derive(pathway_io::Schema)]
    #[schema(rename_all = "camelCase")]
    pub struct Cat {
        #[schema(primary_key)]
        pub key: i64,
        #[schema(default = "felis")]
        pub genus: ::std::string::String,
        #[schema(default = 4)]
        pub legs: ::std::option::Option<u8>,
        #[schema(default)]
        pub tags: ::std::vec::Vec<i64>,
    }

    #[derive(pathway_io::Schema)]
    pub struct Line {
        data: ::std::string::String,
        note: ::std::option::Option<i64>,
        #[schema(default)]
        level: u8,
    }

    #[derive(pathway_io::ColumnType)]
    pub enum Mood {
        #[column(alias = "quiet")]
        Calm,
        #[column(other)]
        Other,
    }

    #[derive(pathway_io::ColumnType)]
    pub struct Id(i64);

    pub struct Cats;

    #[pathway_io::connector(autocommit = "1ms", backlog = 10)]
    impl Cats {
        fn run(&mut self, cats: pathway_io::Subject<Cat>, lines: pathway_io::Subject<Line>) -> pathway_io::RunResult {
            cats.next_json(r#"{"key": 1}"#)?;
            lines.next_str("hello")?;
            ::std::result::Result::Ok(())
        }

        fn on_stop(&mut self) {}
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let (cats, _lines) = pipeline.read(shadow::Cats);
    cats.subscribe(|update| assert_eq!((update.row.key, update.row.genus.as_str()), (1, "felis")));
    pipeline.run().unwrap();
}
