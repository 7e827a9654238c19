//! Enums and newtypes as columns, through every push and output.

use pathway_io::{ColumnType, DataType, Pipeline, RunResult, Schema, Subject, connector, csv, jsonlines, next};

#[derive(ColumnType, Clone, Copy, Debug, PartialEq)]
#[column(rename_all = "kebab-case")]
enum Mood {
    Calm,
    VeryAngry,
    #[column(rename = "a, \"b\"")]
    Odd,
    r#Self_,
}

#[derive(ColumnType, Debug, PartialEq)]
enum Coat {
    #[column(rename = "grey", alias = "gray", alias = "silver")]
    Grey,
    #[column(other)]
    Other,
    Black,
}

#[derive(ColumnType, Clone, Debug, PartialEq)]
struct Id(u64);

#[derive(ColumnType, Debug, PartialEq)]
struct Weight(f64);

#[derive(ColumnType, Debug, PartialEq)]
struct Nick(Option<String>);

#[derive(Schema, Debug, PartialEq)]
struct Cat {
    #[schema(primary_key)]
    id: Id,
    #[schema(primary_key)]
    mood: Mood,
    #[schema(default = Mood::Calm)]
    was: Mood,
    next: Option<Mood>,
    weight: Option<Weight>,
    nick: Nick,
    moods: Vec<Mood>,
    #[schema(default)]
    coats: Vec<Coat>,
}

struct Cats;

#[connector]
impl Cats {
    fn run(&mut self, cats: Subject<Cat>) -> RunResult {
        next!(cats, Cat { id: Id(1), mood: Mood::Odd, next: Mood::VeryAngry, moods: [Mood::Calm], .. })?;
        cats.next_json(r#"{"id": 2, "mood": "very-angry", "weight": 4, "moods": ["self-"], "nick": "tom",
            "coats": ["Black", "gray", "Grey", "silver", "grey"]}"#)?;
        let error = cats.next_json(r#"{"id": 2, "mood": "sad", "moods": []}"#).unwrap_err().to_string();
        assert!(error.contains(r#"expected "calm", "very-angry", "a, \"b\"" or "self-", found the string "sad""#), "{error}");
        cats.commit()?;
        cats.remove((Id(1), Mood::Odd))?;
        cats.remove((Id(1), Mood::Calm))?;
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let columns = Cat::schema().columns;
    assert_eq!((columns[0].data_type, columns[1].data_type), (DataType::U64, DataType::Str));
    assert!(columns[5].optional);
    let directory = std::env::temp_dir();
    let (table, lines) = (directory.join("ui-own-columns.csv"), directory.join("ui-own-columns.jsonl"));
    let pipeline = Pipeline::new();
    let cats = pipeline.read(Cats);
    csv::write(&cats, &table);
    jsonlines::write(&cats, &lines);
    let updates = cats.commits(10);
    pipeline.run()?;
    let updates: Vec<(Cat, i64)> = updates
        .iter()
        .flat_map(|commit| commit.iter().map(|update| (update.row, update.diff)).collect::<Vec<_>>())
        .collect();
    assert_eq!(updates.len(), 3);
    assert_eq!((updates[0].0.next, &updates[0].0.nick), (Some(Mood::VeryAngry), &Nick(None)));
    assert_eq!((&updates[1].0.weight, &updates[1].0.nick), (&Some(Weight(4.0)), &Nick(Some("tom".into()))));
    let coats = [Coat::Black, Coat::Grey, Coat::Other, Coat::Grey, Coat::Grey];
    assert_eq!(updates[1].0.coats, coats);
    assert_eq!(updates[2].1, -1);
    let table = std::fs::read_to_string(table)?;
    assert!(table.contains(r#"1,"a, ""b""",calm,very-angry,,,"[""calm""]","#), "{table}");
    let lines = std::fs::read_to_string(lines)?;
    assert!(lines.contains(r#""mood":"a, \"b\"","was":"calm""#), "{lines}");
    assert!(lines.contains(r#""coats":["Black","grey","Other","grey","grey"]"#), "{lines}");
    Ok(())
}
