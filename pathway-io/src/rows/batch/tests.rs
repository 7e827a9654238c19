//! Refused rows must leave nothing in a batch.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use super::*;

#[derive(Debug, pathway_derive::Schema)]
#[schema(crate = crate)]
struct Cat {
    genus: String,
    key: i64,
}

#[derive(pathway_derive::Schema)]
#[schema(crate = crate)]
struct Ship {
    #[schema(primary_key)]
    id: i64,
}

fn cat() -> Cat {
    Cat { genus: "felis".to_owned(), key: 1 }
}

/// A text that is too long for the pool, and for a full batch of short rows.
const LONG: usize = 8 * POOL_BYTES;

/// Refuses a row of `LONG` bytes in each way, after its text was read.
fn refused_rows() -> [fn(&mut Batch<Cat>); 4] {
    fn row(key: &str) -> String {
        format!(r#"{{"genus":"{}","key":{key}}}"#, "x".repeat(LONG))
    }
    [
        |batch| _ = batch.push_json(row("true").as_bytes()).unwrap_err(),
        |batch| _ = batch.push_json(row("1x").as_bytes()).unwrap_err(),
        |batch| _ = batch.push_value(&json!({ "genus": "x".repeat(LONG), "key": true })).unwrap_err(),
        |batch| {
            let checks = batch.checks.replace([RowCheck::new(|cat: &Cat| Err(cat.genus.len()))].into());
            assert!(batch.push_json(row("1").as_bytes()).is_err());
            batch.checks = checks;
        },
    ]
}

#[test]
fn the_memory_of_a_refused_row_is_not_kept() {
    for refuse in refused_rows() {
        // A commit holds only the memory of its rows.
        let pool = Pool::<Cat>::new();
        let mut batches = Batches::new(Arc::clone(&pool));
        refuse(batches.current());
        assert_eq!((batches.current.len, batches.current.bytes), (0, 0));
        batches.current().push(cat().into_fields()).ok().unwrap();
        assert!(batches.current.is_sparse());
        let taken = batches.take();
        assert!(taken.iter().chain([&batches.current]).all(|batch| batch.peak.1 < LONG));

        // A full batch also holds only the memory of its rows.
        refuse(batches.current());
        for _ in 0..SEAL_ROWS {
            batches.current().push(cat().into_fields()).ok().unwrap();
        }
        batches.current();
        assert!(batches.sealed.len() == 1 && batches.sealed[0].peak.1 < LONG);

        // The pool does not keep it.
        let mut batch = Batch::<Cat>::default();
        refuse(&mut batch);
        batch.push(cat().into_fields()).ok().unwrap();
        pool.put(batch);
        assert!(pool.idle.lock().is_empty());
    }
}

#[test]
fn a_row_whose_check_panics_is_not_in_the_batch() {
    let mut batch = Batch::<Cat> {
        checks: Some([RowCheck::new(|_: &Cat| -> Result<(), String> { panic!("a bug of the sink") })].into()),
        ..Batch::default()
    };
    let pushes: [fn(&mut Batch<Cat>) -> bool; 3] = [
        |batch| batch.push(cat().into_fields()).is_ok(),
        |batch| batch.push_json(br#"{"genus":"felis","key":1}"#).is_ok(),
        |batch| batch.push_value(&json!({ "genus": "felis", "key": 1 })).is_ok(),
    ];
    for push in pushes {
        assert!(catch_unwind(AssertUnwindSafe(|| push(&mut batch))).is_err());
        batch.repair();
        assert_eq!((batch.len(), batch.bytes(), batch.columns.bytes()), (0, 0, 0));
    }
    batch.checks = Some([RowCheck::new(|cat: &Cat| if cat.key == 1 { Ok(()) } else { Err("not one") })].into());
    batch.push_times(cat().into_fields(), -1);
    assert!(batch.push(Cat { key: 2, ..cat() }.into_fields()).is_err_and(|refused| refused.row.key == 2));
    assert!(batch.push(cat().into_fields()).is_ok() && batch.push_json(br#"{"genus":"felis","key":1}"#).is_ok());
    assert_eq!((batch.len(), batch.diff(0), batch.diff(2)), (3, -1, 1));
}

#[derive(Debug, Clone)]
struct Even(i64);

impl TryFrom<i64> for Even {
    type Error = &'static str;
    fn try_from(n: i64) -> Result<Self, &'static str> {
        if n % 2 == 0 { Ok(Even(n)) } else { Err("odd") }
    }
}
impl From<Even> for i64 {
    fn from(even: Even) -> i64 {
        even.0
    }
}

#[derive(pathway_derive::Schema)]
#[schema(crate = crate)]
struct Numbers {
    key: i64,
    #[schema(try_from = "i64", into = "i64")]
    first: Even,
    #[schema(try_from = "i64", into = "i64", default = Even(0))]
    second: Even,
    #[schema(try_from = "i64", into = "i64")]
    last: Option<Even>,
}

#[test]
fn a_refused_value_is_reported_with_its_column() {
    let reason = "a value does not read back from its column: expected an `Even`, found ";
    let mut batch = Batch::<Numbers>::default();
    for (column, values) in [("first", [1, 3, 5]), ("second", [0, 3, 5]), ("last", [0, 2, 5])] {
        let [first, second, last] = values.map(Even);
        let row = Numbers { key: 1, first, second, last: Some(last) };
        let payload = catch_unwind(AssertUnwindSafe(|| batch.push(row.into_fields()).is_ok())).unwrap_err();
        let error = payload.downcast::<String>().unwrap();
        assert!(error.starts_with(&format!("column `{column}`: {reason}")), "{error}");
        assert_eq!((batch.len(), batch.columns.bytes()), (0, 0));
    }
}

#[derive(pathway_derive::Schema)]
#[schema(crate = crate)]
struct OddDefault {
    key: i64,
    #[schema(try_from = "i64", into = "i64", default = Even(3))]
    even: Even,
}

#[test]
fn a_default_that_its_column_refuses_is_reported_with_its_column() {
    let mut batch = Batch::<OddDefault>::default();
    let pushes: [fn(&mut Batch<OddDefault>) -> bool; 3] = [
        |batch| batch.push_json(br#"{"key":1}"#).is_ok(),
        |batch| batch.push_json(br#"{"\u006bey":1}"#).is_ok(),
        |batch| batch.push_value(&json!({ "key": 1 })).is_ok(),
    ];
    for push in pushes {
        let payload = catch_unwind(AssertUnwindSafe(|| push(&mut batch))).unwrap_err();
        let error = payload.downcast::<String>().unwrap();
        assert!(error.starts_with("column `even`: a value does not read back from its column"), "{error}");
        batch.repair();
        batch.push_json(br#"{"key":1,"even":2}"#).unwrap();
    }
    assert_eq!(batch.len(), 3);
}

/// The log and the databases omit the removal of a row that is replaced.
#[test]
fn a_row_is_replaced_only_by_the_next_row_with_its_key() {
    let mut batch = Batch::<Ship>::default();
    for (id, diff) in [(1, -1), (1, 1), (2, -1), (3, 1), (4, -1), (4, -1), (5, -1)] {
        batch.push_times(Ship { id }.into_fields(), diff);
    }
    let replaced: Vec<_> = (0..batch.len()).filter(|row| batch.diff(*row) < 0 && batch.is_replaced(*row)).collect();
    assert_eq!(replaced, [0]);
}
