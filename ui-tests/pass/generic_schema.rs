//! Schemas with parameters: a column of any type, a flattened row of any schema, and an array of any length.

use pathway_io::column::{ColumnType, KeyType};
use pathway_io::{Keyed, RunResult, Schema, Subject, connector, next};

#[derive(Schema)]
struct Reading<K: KeyType, T: ColumnType = f64> {
    #[schema(primary_key)]
    sensor: K,
    value: T,
    note: Option<String>,
}

#[derive(Schema)]
struct Timestamped<T>
where
    T: Schema,
{
    at: u64,
    #[schema(flatten)]
    row: T,
}

#[derive(Schema)]
struct Versioned<T: Keyed> {
    #[schema(primary_key)]
    version: u32,
    #[schema(flatten, primary_key)]
    row: T,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Vector<T: ColumnType, const N: usize> {
    values: [u8; N],
    #[schema(default = 1)]
    scale: i64,
    tag: Option<Vec<String>>,
    more: Vec<T>,
}

/// The bound is on another type than the parameter.
#[derive(Schema)]
struct Listed<T>
where
    Vec<T>: ColumnType,
{
    list: Vec<T>,
}

struct Lister<T>(Vec<T>);

#[connector]
impl<T> Lister<T>
where
    Vec<T>: ColumnType,
    Listed<T>: Schema,
{
    fn run(&mut self, lists: Subject<Listed<T>>) -> RunResult {
        Ok(lists.next(Listed { list: std::mem::take(&mut self.0) })?)
    }
}

#[derive(Schema)]
struct Plain {
    x: i64,
}

/// An item that the macro puts into a function could not name the parameters of the function.
fn push<T: ColumnType>(readings: &Subject<Reading<u8, T>>, value: T) -> RunResult {
    next!(readings, Reading::<u8, T> { sensor: 1, value, .. })?;
    Ok(())
}

struct Sensors;

#[connector]
impl Sensors {
    fn run(
        &mut self,
        readings: Subject<Reading<String>>,
        times: Subject<Timestamped<Plain>>,
        versions: Subject<Versioned<Reading<u8, bool>>>,
        vectors: Subject<Vector<bool, 2>>,
        others: Subject<Reading<u8, bool>>,
    ) -> RunResult {
        push(&others, true)?;
        next!(readings, Reading { sensor: "a", value: 1.5, note: None })?;
        next!(readings, Reading::<String, f64> { sensor: "b", value: 2.5, .. })?;
        readings.commit()?;
        readings.remove("a".to_owned())?;
        times.next_json(r#"{"at": 1, "x": 2}"#)?;
        next!(versions, Versioned { version: 1, row: Reading { sensor: 7u8, value: true, note: "n" } })?;
        versions.remove((1, 7))?;
        vectors.next(Vector { values: [1, 2], scale: 1, tag: None, more: vec![true] }.clone())?;
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    let names = |schema: &pathway_io::TableSchema| schema.columns.iter().map(|column| column.name).collect::<Vec<_>>();
    assert_eq!(names(<Timestamped<Plain>>::schema()), ["at", "x"]);
    assert_eq!(names(<Timestamped<Timestamped2>>::schema()), ["at", "then", "x"]);
    assert_eq!(<Reading<String>>::schema().columns[1].data_type.to_string(), "f64");
    assert_eq!(<Versioned<Reading<u8, bool>>>::schema().primary_key().count(), 2);
    let pipeline = pathway_io::Pipeline::new();
    let (readings, times, versions, vectors, others) = pipeline.read(Sensors);
    let readings = readings.commits(10);
    drop((times, versions, vectors, others));
    let lists = pipeline.read(Lister(vec![1, 2])).commits(10);
    pipeline.run()?;
    assert_eq!(lists.recv().expect("a commit").iter().next().expect("a row").row.list, [1, 2]);
    assert_eq!(readings.iter().map(|commit| commit.len()).sum::<usize>(), 3);
    Ok(())
}

#[derive(Schema)]
struct Timestamped2 {
    then: u64,
    #[schema(flatten)]
    row: Plain,
}
