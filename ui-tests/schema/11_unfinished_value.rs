//! Values that are not finished.

use pathway_io::Schema;

#[derive(Schema)]
struct Cat {
    #[schema(default = )]
    a: i64,
    #[schema(default = 1 +)]
    b: i64,
}

fn main() {}
