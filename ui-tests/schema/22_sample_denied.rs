use pathway_io::Schema;

#[derive(Schema)]
#[schema(sample = "cats.csv", deny_unknown)]
struct Cat {
    key: i64,
    #[schema(alias = "genus")]
    name: Option<String>,
    weigth: Option<f64>,
    tame: Option<String>,
}

#[derive(Schema)]
struct Name {
    key: i64,
    genus: Option<String>,
}

#[derive(Schema)]
#[schema(sample = "cats.csv", deny_unknown)]
struct Flat {
    #[schema(flatten)]
    name: Name,
    weight: Option<f64>,
}

fn main() {}
