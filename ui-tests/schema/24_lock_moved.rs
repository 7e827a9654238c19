//! A column that moves into a flattened schema keeps its alias and its path.

use pathway_io::Schema;

#[derive(Schema)]
#[schema(lock = "seller.schema.json")]
struct Seller {
    #[schema(alias = "n")]
    name: String,
    #[schema(path = "shop.town")]
    town: String,
    country: String,
    #[schema(path = "shop.street")]
    street: String,
}

#[derive(Schema)]
#[schema(lock = "moved.schema.json")]
struct Offer {
    id: i64,
    #[schema(flatten)]
    seller: Seller,
}

fn main() {}
