//! The check of a sample follows the paths of the struct and of flattened schemas into the values.

use pathway_io::{ColumnType, Schema};

#[derive(ColumnType, Clone)]
struct Id(u8);

#[derive(Schema)]
struct Seller {
    #[schema(path = "seller.name")]
    name: Id,
    #[schema(path = "seller.tags[0]")]
    tag: String,
    #[schema(path = "seller.town")]
    town: String,
}

#[derive(Schema)]
struct Price {
    #[schema(path = "price.amount")]
    amount: f64,
    #[schema(path = "price.currency")]
    currency: Option<String>,
}

#[derive(Schema)]
#[schema(sample = "../pass/offers.jsonl")]
struct Offer {
    #[schema(primary_key, path = "offer.id")]
    id: Id,
    #[schema(path = "offer.kind")]
    kind: String,
    #[schema(flatten)]
    seller: Seller,
    #[schema(flatten)]
    price: Price,
}

#[derive(Schema)]
struct Tagged {
    #[schema(path = "seller.town")]
    town: String,
}

#[derive(Schema)]
#[schema(sample = "../pass/offers.jsonl")]
struct Elsewhere {
    #[schema(path = "offer.id")]
    id: String,
    #[schema(flatten)]
    tagged: Tagged,
}

fn main() {}
