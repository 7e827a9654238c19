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

fn main() {}
