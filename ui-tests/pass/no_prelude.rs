//! A module without the prelude, and so without the traits of the prelude.

mod bare {
    #![no_implicit_prelude]

    use ::pathway_io::{ColumnType, RunResult, Schema, Subject, connector, next};
    use ::std::clone::Clone;
    use ::std::option::Option;
    use ::std::result::Result::Ok;
    use ::std::string::String;

    #[derive(ColumnType, Clone)]
    pub enum Mood {
        Calm,
        #[column(other)]
        Other,
    }

    #[derive(ColumnType, Clone)]
    pub struct Id(i64);

    #[derive(Schema)]
    pub struct Key {
        #[schema(primary_key, example = "a")]
        name: String,
    }

    #[derive(Schema)]
    #[schema(dataflow, deny_unknown)]
    pub struct Place {
        #[schema(default = 1, example = 3)]
        x: i64,
        #[schema(default = "here", example = "there")]
        pub name: Option<String>,
        #[schema(json, default = (1, 2))]
        pair: (u8, u8),
        #[schema(json)]
        other: Option<(u8, u8)>,
        data: String,
    }

    #[derive(Schema)]
    pub struct Line {
        #[schema(primary_key)]
        id: Id,
        #[schema(flatten, primary_key)]
        key: Key,
        #[schema(default = "a line")]
        pub text: String,
        mood: Mood,
    }

    pub struct Lines;

    #[connector(autocommit = off)]
    impl Lines {
        fn run(&mut self, lines: Subject<Line>, places: Subject<Place>) -> RunResult {
            next!(lines, Line { id: Id(1), key: Key { name: "k" }, mood: Mood::Calm, .. })?;
            lines.remove((Id(2), ::std::convert::Into::into("k")))?;
            places.next_json(r#"{"data": "d"}"#)?;
            let _ = Mood::Other;
            Ok(())
        }

        fn on_stop(&mut self) {}
    }
}

fn main() {
    let pipeline = pathway_io::Pipeline::new();
    let (lines, places) = pipeline.read(bare::Lines);
    lines.subscribe(|update| assert_eq!(update.row.text, "a line"));
    places.compute(|places| places).subscribe(|update| assert_eq!(update.row.name.as_deref(), Some("here")));
    assert_eq!(pipeline.run().unwrap().sources[0].rows, 3);
}
