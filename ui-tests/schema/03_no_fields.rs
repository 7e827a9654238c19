use pathway_io::Schema;

#[derive(Schema)]
struct Cat {}

#[derive(Schema)]
struct Dog;

fn main() {}
