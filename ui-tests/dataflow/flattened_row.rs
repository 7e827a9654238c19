use pathway_io::Schema;

#[derive(Schema)]
struct Place {
    city: String,
}

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    key: i64,
    #[schema(flatten)]
    place: Place,
}

fn main() {}
