use pathway_io::Schema;

#[derive(Schema)]
struct Cat<'a> {
    key: i64,
    genus: &'a str,
}

#[derive(Schema)]
struct Bound<'a, T>
where
    'a: 'static,
    T: pathway_io::ColumnType + 'a,
{
    genus: &'a str,
    value: T,
}

fn main() {}
