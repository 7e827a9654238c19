//! Columns with a `path`.

use super::*;

#[derive(Debug, Clone, PartialEq, pathway_derive::Schema)]
#[schema(crate = crate, deny_unknown)]
struct Offer {
    id: i64,
    #[schema(path = "seller.name", alias = "vendor")]
    seller_name: String,
    /// The column has the name of the field in which its path begins.
    #[schema(path = "price.amount")]
    price: Value,
    #[schema(path = "price.tax[1].rate", default = 7)]
    tax: i128,
    #[schema(path = "seller.place.city")]
    city: Option<String>,
    #[schema(path = "images[0]")]
    image: Option<String>,
}

/// Reads the row in all ways, which must agree.
fn read(text: &str) -> Result<Offer, String> {
    let read_by = |parsed: bool| {
        let (mut columns, mut seen) = (ColumnsOf::<Offer>::default(), Seen::default());
        let result = if parsed {
            parse_text::<Offer>(&mut columns, 0, text, &mut seen)
        } else {
            decode_json::<Offer>(&mut columns, 0, text.as_bytes(), &mut seen)
        };
        result.map(|()| row_at::<Offer>(&columns, 0)).map_err(|error| error.to_string())
    };
    let (parsed, scanned) = (read_by(true), read_by(false));
    assert_eq!(parsed, scanned, "{text}");
    if let (Ok(value), Ok(row)) = (serde_json::from_str(text), &parsed) {
        let (mut columns, mut seen) = (ColumnsOf::<Offer>::default(), Seen::default());
        decode_value::<Offer>(&mut columns, 0, &value, &mut seen).unwrap();
        assert_eq!(&row_at::<Offer>(&columns, 0), row, "{text}");
    }
    parsed
}

fn offer() -> Offer {
    Offer {
        id: 1,
        seller_name: "ann".into(),
        price: json!(2.5),
        tax: 19,
        city: Some("Rome".into()),
        image: Some("a.png".into()),
    }
}

#[test]
fn values_are_read_wherever_they_are() {
    for text in [
        r#"{"id":1,"seller":{"name":"ann","place":{"city":"Rome"}},"price":{"amount":2.5,"tax":[0,{"rate":19}]},"images":["a.png","b.png"]}"#,
        r#"{"images":["a.png"],"price":{"tax":[{},{"rate":19,"x":[]},3],"more":{},"amount":2.5},"seller":{"place":{"street":1,"city":"Rome"},"n":0,"name":"ann"},"id":1}"#,
        r#" { "id" : 1 , "seller" : { "na\u006de" : "ann" , "place" : { "city" : "Rome" } } , "pr\u0069ce" : { "amount" : 2.5 , "tax" : [ null , { "rate" : 19 } ] } , "images" : [ "a.png" ] } "#,
        // A sink writes the column under its own name, and an alias is read, too.
        r#"{"id":1,"vendor":"ann","seller":{"place":{"city":"Rome"}},"price":{"amount":2.5},"tax":19,"image":"a.png"}"#,
        r#"{"id":1,"seller_name":"ann","city":"Rome","price":{"amount":2.5},"tax":19,"image":"a.png","time":3,"diff":1}"#,
    ] {
        assert_eq!(read(text), Ok(offer()), "{text}");
    }
}

#[test]
fn a_path_through_a_missing_value_or_null_finds_nothing() {
    let without = Offer { tax: 7, city: None, image: None, ..offer() };
    for (seller, price, images) in [
        (r#"{"name":"ann"}"#, r#"{"amount":2.5}"#, "[]"),
        (r#"{"name":"ann","place":null}"#, r#"{"amount":2.5,"tax":null}"#, "null"),
        (r#"{"name":"ann","place":{}}"#, r#"{"amount":2.5,"tax":[0]}"#, "[null]"),
        (r#"{"name":"ann","place":{"city":null}}"#, r#"{"amount":2.5,"tax":[0,{}]}"#, "[null, 3]"),
    ] {
        let text = format!(r#"{{"id":1,"seller":{seller},"price":{price},"images":{images}}}"#);
        assert_eq!(read(&text), Ok(without.clone()), "{text}");
    }
}

#[test]
fn errors_name_the_path() {
    for (text, error) in [
        (r#"{"id":1,"price":{"amount":1}}"#, "column `seller_name`: missing at `seller.name`"),
        (r#"{"id":1,"seller":{},"price":{"amount":1}}"#, "column `seller_name`: missing at `seller.name`"),
        (r#"{"id":1,"seller":null,"price":{"amount":1}}"#, "column `seller_name`: missing at `seller.name`"),
        (r#"{"id":1,"seller":{"name":"ann"}}"#, "column `price`: missing at `price.amount`"),
        (
            r#"{"id":1,"seller":{"name":5}}"#,
            "column `seller_name`, byte 25: expected a `String`, found the number 5, at `seller.name`",
        ),
        (
            r#"{"id":1,"seller":{"name":null}}"#,
            "column `seller_name`, byte 25: expected a `String`, found null, which only an `Option<String>` takes, at `seller.name`",
        ),
        (r#"{"id":1,"seller_name":5}"#, "column `seller_name`, byte 22: expected a `String`, found the number 5"),
        (r#"{"id":1,"seller":5}"#, "column `seller_name`, byte 17: expected an object at `seller`, found integer `5`"),
        (r#"{"id":1,"seller":[1]}"#, "column `seller_name`, byte 17: expected an object at `seller`, found a list"),
        (
            r#"{"id":1,"price":{"tax":{"rate":1}}}"#,
            "column `tax`, byte 23: expected a list at `price.tax`, found an object",
        ),
        (
            r#"{"id":1,"price":{"tax":[0,{"rate":"x"}]}}"#,
            "column `tax`, byte 34: expected an `i128` in a number of 64 bits or a string, found the string \"x\", at `price.tax[1].rate`",
        ),
        (
            r#"{"id":1,"images":[7]}"#,
            "column `image`, byte 18: expected a `String`, found the number 7, at `images[0]`",
        ),
        (
            r#"{"id":1,"seller":{"name":"a","name":"b"}}"#,
            "column `seller_name`, byte 29: given twice, at `seller.name`",
        ),
        (r#"{"id":1,"seller":{"name":"a"},"vendor":"b"}"#, "column `seller_name`, byte 30: given twice"),
        (r#"{"id":1,"sellr":{"name":"a"}}"#, "byte 8: `Offer` has no column \"sellr\""),
    ] {
        assert_eq!(read(text), Err(error.to_owned()), "{text}");
    }
}

/// In rows that the library wrote, such as the rows of the log, a name always names a column, even if paths begin in
/// it.
#[test]
fn stored_rows_have_each_column_under_its_name() {
    let text = r#"{"id":1,"seller_name":"ann","price":{"amount":2.5},"tax":19,"city":"Rome","image":"a.png"}"#;
    let (mut columns, mut seen) = (ColumnsOf::<Offer>::default(), Seen::default());
    parse_stored::<Offer>(&mut columns, 0, text.as_bytes(), &mut seen).unwrap();
    assert_eq!(row_at::<Offer>(&columns, 0), Offer { price: json!({"amount": 2.5}), ..offer() });
    // The next row of the batch comes from a source.
    let text = r#"{"id":1,"seller":{"name":"ann"},"price":{"amount":2.5},"tax":19,"city":"Rome","image":"a.png"}"#;
    decode_json::<Offer>(&mut columns, 1, text.as_bytes(), &mut seen).unwrap();
    assert_eq!(row_at::<Offer>(&columns, 1), offer());
}

#[test]
fn a_schema_says_where_its_columns_are_read() {
    assert_eq!(Offer::SCHEMA.columns[3].path, "price.tax[1].rate");
    let description = serde_json::to_value(Offer::SCHEMA).unwrap();
    assert_eq!(description["columns"][1]["path"], "seller.name");
    assert_eq!(description["columns"][0].get("path"), None);
}
