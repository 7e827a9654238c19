use pathway_io::Schema;

enum Mood {
    Calm,
    Angry,
}

#[derive(Schema)]
struct Place {
    x: f64,
    y: f64,
}

#[derive(Schema)]
struct Cat {
    key: i64,
    mood: Mood,
    place: Place,
    naps: usize,
}

fn main() {}
