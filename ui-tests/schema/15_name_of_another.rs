use pathway_io::Schema;

struct String;

#[derive(Schema)]
struct Cat {
    key: i64,
    genus: String,
}

#[derive(Schema)]
struct Keyed {
    #[schema(primary_key)]
    key: String,
    n: i64,
}

#[derive(Schema)]
struct Inside {
    key: i64,
    tags: Vec<String>,
    maybe: Option<u8>,
}

fn main() {
    let _ = |cat: Cat, keyed: Keyed, inside: Inside| (cat.key, cat.genus, keyed.n, inside.key, inside.tags, inside.maybe);
}
