use pathway_io::Schema;

struct Age(u8);

#[derive(Schema)]
struct Cat {
    #[schema(default = missing())]
    key: i64,
    #[schema(default)]
    dates: [i64; 40],
}

fn main() {}
