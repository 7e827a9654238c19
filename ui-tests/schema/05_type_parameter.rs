use pathway_io::Schema;

#[derive(Schema)]
struct Cat<T> {
    key: i64,
    genus: T,
}

#[derive(Schema)]
struct Dog<const N: usize> {
    legs: [u8; N],
}

fn main() {}
