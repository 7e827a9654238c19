#![deny(unused_must_use)]

use pathway_io::Pipeline;

fn main() {
    Pipeline::new();
}
