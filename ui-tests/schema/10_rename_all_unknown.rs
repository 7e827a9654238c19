use pathway_io::Schema;

#[derive(Schema)]
#[schema(rename_all = "CamelCase")]
struct Cat {
    key: i64,
}

fn main() {}
