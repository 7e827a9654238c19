//! Values that are not finished.

use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(default = )]
    a: i64,
    #[schema(default = 1 +)]
    b: i64,
    #[schema(default = i64::from(1 2))]
    c: i64,
    #[schema(default = { let number = ; number }, example = (1 2))]
    d: i64,
}

fn main() {}
