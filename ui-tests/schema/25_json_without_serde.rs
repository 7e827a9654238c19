use pathway_io::Schema;

struct Place {
    x: f64,
}

#[derive(serde::Serialize)]
struct Written {
    x: f64,
}

#[derive(Schema)]
struct Cat {
    #[schema(json)]
    place: Place,
    #[schema(json)]
    last: Option<Place>,
    #[schema(json)]
    written: Written,
}

fn main() {}
