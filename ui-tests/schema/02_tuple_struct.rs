use pathway_io::Schema;

#[derive(Schema)]
struct Cat(i64, String);

fn main() {}
