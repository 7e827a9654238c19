use pathway_io::Schema;

#[derive(Schema)]
#[schema(sample = "cats.csv")]
struct Cat {
    key: u8,
    genus: String,
    weight: f32,
    tame: bool,
}

fn main() {}
