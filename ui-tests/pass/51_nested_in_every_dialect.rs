//! Every dialect accepts a nested column, which is JSON in one field.

use pathway_io::{Pipeline, RunResult, Schema, Subject, connector, csv, next};

#[derive(Schema)]
struct Walk {
    places: Vec<(f64, Option<String>)>,
    box_: [i64; 2],
    note: serde_json::Value,
}

struct Walks;

#[connector]
impl Walks {
    fn run(&mut self, walks: Subject<Walk>) -> RunResult {
        let places = vec![(1.5, Some("a, \"b\"\n".to_owned())), (-0.0, None)];
        next!(walks, Walk { places, box_: [1, 2], note: serde_json::json!({"x": [null]}) })?;
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let directory = std::env::temp_dir();
    let (plain, pathway) = (directory.join("ui-51-plain.csv"), directory.join("ui-51-pathway.csv"));
    let pipeline = Pipeline::new();
    let walks = pipeline.read(Walks);
    csv::write(&walks, &plain);
    csv::write_with(&walks, &pathway, csv::Options::pathway());
    pipeline.run()?;
    let fields = r#""[[1.5,""a, \""b\""\n""],[-0.0,null]]","[1,2]","{""x"":[null]}","#;
    for path in [plain, pathway] {
        let text = std::fs::read_to_string(path)?;
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with(fields)), "{text}");
    }
    Ok(())
}
