use pathway_io::Schema;

struct String;

#[derive(Schema)]
#[schema(dataflow)]
struct Cat {
    key: i64,
    genus: String,
}

fn main() {
    let _ = |cat: Cat| (cat.key, cat.genus);
}
