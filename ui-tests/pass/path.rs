//! Columns that are read inside other fields, in a whole pipeline, with `flatten` and a sample.

use pathway_io::{RunResult, Schema, Subject, connector, csv, jsonlines, next};

#[derive(Schema)]
struct Seller {
    #[schema(path = "seller.name")]
    name: String,
    #[schema(path = "seller.tags[0]")]
    tag: Option<String>,
}

#[derive(Schema)]
#[schema(sample = "offers.jsonl", deny_unknown)]
struct Offer {
    #[schema(primary_key, path = "offer.id")]
    id: u32,
    #[schema(flatten, prefix = "seller_")]
    seller: Seller,
    #[schema(path = "price.amount", default = 1.0)]
    price: f64,
}

struct Offers;

#[connector]
impl Offers {
    fn run(&mut self, offers: Subject<Offer>) -> RunResult {
        for line in include_str!("offers.jsonl").lines() {
            offers.next_json(line)?;
        }
        next!(offers, Offer { id: 3, seller: Seller { name: "eve", .. }, .. })?;
        offers.next_value("{\"offer\": {\"id\": 4}, \"seller\": {\"name\": \"joe\"}}".parse()?)?;
        let error = offers.next_json("{\"offer\": {}, \"seller\": {\"name\": \"joe\"}}").unwrap_err();
        assert_eq!(error.to_string(), "row 5, column `id`: missing at `offer.id`");
        Ok(())
    }
}

/// The output of a sink is read back by the names of the columns.
struct Again(String);

#[connector]
impl Again {
    fn run(&mut self, offers: Subject<Offer>) -> RunResult {
        for line in self.0.lines() {
            let own = line.replace("\"price\":", "\"price\":{\"amount\":").replace(",\"diff\"", "},\"diff\"");
            offers.next_json(own)?;
        }
        Ok(())
    }
}

fn main() -> pathway_io::Result<()> {
    assert_eq!(Offer::schema().columns[1].path, "seller.name");
    let directory = std::env::temp_dir();
    let (table, lines) = (directory.join("ui-path.csv"), directory.join("ui-path.jsonl"));
    let pipeline = pathway_io::Pipeline::new();
    let offers = pipeline.read(Offers);
    csv::write(&offers, &table);
    jsonlines::write(&offers, &lines);
    pipeline.run()?;
    let (table, lines) = (std::fs::read_to_string(&table).unwrap(), std::fs::read_to_string(&lines).unwrap());
    assert!(table.starts_with("id,seller_name,seller_tag,price,time,diff\n1,ann,new,2.5,"), "{table}");
    assert!(table.contains("\n2,bob,,1.0,") && table.contains("\n3,eve,,1.0,") && table.contains("\n4,joe,,1.0,"), "{table}");
    let updates = pathway_io::testing::collect(Again(lines))?;
    let rows: Vec<_> = updates.iter().map(|update| (update.row.id, update.row.seller.name.as_str())).collect();
    assert_eq!(rows, [(1, "ann"), (2, "bob"), (3, "eve"), (4, "joe")]);
    Ok(())
}
