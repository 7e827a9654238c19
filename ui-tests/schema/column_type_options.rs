use pathway_io::ColumnType;

#[derive(ColumnType)]
#[schema(rename_all = "lowercase")]
enum Mood {
    Calm,
    #[schema(rename = "hiss!")]
    Angry,
}

fn main() {}
