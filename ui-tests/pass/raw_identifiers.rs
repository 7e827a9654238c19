use pathway_io::{Keyed, Schema, Subject, connector};

#[derive(Schema)]
struct r#Type {
    #[schema(primary_key)]
    r#type: i64,
    r#match: String,
}

#[allow(non_camel_case_types)]
struct r#fn;

#[connector]
impl r#fn {
    fn run(&mut self, r#in: Subject<r#Type>) -> pathway_io::RunResult {
        r#in.next(r#Type { r#type: 1, r#match: "x".into() })?;
        Ok(())
    }
}

fn main() {
    assert_eq!(r#Type::schema().columns[0].name, "type");
    assert_eq!(r#Type::schema().columns[1].name, "match");
    assert_eq!(r#Type::schema().name, "Type");
    let updates = pathway_io::testing::collect(r#fn).unwrap();
    assert_eq!(updates[0].row.key(), 1);
}
