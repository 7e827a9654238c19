//! The lock records the path of a column.

use pathway_io::Schema;

#[derive(Schema)]
#[schema(lock = "offer.schema.json")]
struct Offer {
    #[schema(primary_key, path = "offer.number")]
    id: u32,
    name: String,
    #[schema(path = "price.amount")]
    price: f64,
    #[schema(path = "shop.town")]
    town: String,
}

fn main() {}
