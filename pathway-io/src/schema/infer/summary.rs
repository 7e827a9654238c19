//! Summarises the values of a column.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Number, Value};

use super::rows::Cell;
use crate::rows::column::strict::may_be_long;

/// The number of values of each kind, and other properties that decide the type.
#[derive(Debug, Clone, Default)]
pub(super) struct Kinds {
    pub nulls: usize,
    pub bools: usize,
    pub integers: usize,
    /// The least and the greatest of the integers.
    pub least: i128,
    pub most: i128,
    pub floats: usize,
    /// The number of strings that stand for NaN or an infinity.
    pub float_names: usize,
    pub texts: usize,
    pub lists: usize,
    pub objects: usize,
    /// The number of values that are, or contain, integers beyond 64 bits.
    pub longs: usize,
    /// The items of the lists, together and by position.
    pub items: Option<Box<Kinds>>,
    pub places: Vec<Kinds>,
    /// The length of the lists, if they all have the same length.
    pub length: Option<usize>,
}

/// A column.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnSummary {
    pub kinds: Kinds,
    /// The number of rows that have the column.
    pub count: usize,
    /// Whether the column comes from CSV, where all values are strings.
    pub is_text: bool,
    /// The hashes of the values, until a value occurs twice.
    hashes: HashSet<u64>,
    is_repeated: bool,
}

/// The maximum number of items of a list that are summarised by position: a column has no longer tuples.
const PLACES: usize = 12;

/// The maximum number of levels of lists whose items are summarised. An item is summarised twice, by its position and
/// with the others, so the work doubles with each level.
const LEVELS: usize = 4;

impl ColumnSummary {
    pub fn add(&mut self, cell: Cell<'_>) {
        self.count += 1;
        match cell {
            Cell::Json(value, long) => {
                self.kinds.add(value, long, LEVELS);
                match value {
                    Value::String(text) => self.note(text),
                    Value::Number(number) => self.note(&number.to_string()),
                    _ => self.is_repeated = true,
                }
            }
            Cell::Text(text) => {
                self.is_text = true;
                self.kinds.add_text(text);
                match text {
                    Some(text) => self.note(text),
                    None => self.is_repeated = true,
                }
            }
        }
    }

    /// Records whether a value occurred before. The function compares hashes, so it can mistake two different values
    /// for equal ones, with a negligible probability.
    fn note(&mut self, text: &str) {
        if self.is_repeated {
            return;
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        if !self.hashes.insert(hasher.finish()) {
            self.is_repeated = true;
            self.hashes = HashSet::new();
        }
    }

    /// Returns whether no value occurred twice and none was null.
    pub fn is_distinct(&self) -> bool {
        !self.is_repeated
    }
}

impl Kinds {
    /// Adds a value. `long` says whether it has integers beyond 64 bits. The items of lists are summarised down to
    /// `levels`.
    fn add(&mut self, value: &Value, long: bool, levels: usize) {
        let long = long && has_long(value);
        self.longs += usize::from(long);
        match value {
            Value::Null => self.nulls += 1,
            Value::Bool(_) => self.bools += 1,
            Value::Number(number) => match integer(number) {
                Some(integer) => self.add_integer(integer),
                None => self.floats += 1,
            },
            Value::String(text) if is_float_name(text) => self.float_names += 1,
            Value::String(_) => self.texts += 1,
            Value::Array(items) => {
                let is_first = self.lists == 0;
                self.lists += 1;
                self.length = if is_first { Some(items.len()) } else { self.length.filter(|len| *len == items.len()) };
                let Some(levels) = levels.checked_sub(1) else { return };
                for (place, item) in items.iter().enumerate() {
                    self.items.get_or_insert_default().add(item, long, levels);
                    if place < PLACES {
                        if self.places.len() <= place {
                            self.places.push(Kinds::default());
                        }
                        self.places[place].add(item, long, levels);
                    }
                }
            }
            Value::Object(_) => self.objects += 1,
        }
    }

    fn add_text(&mut self, text: Option<&str>) {
        let Some(text) = text else {
            self.nulls += 1;
            return;
        };
        // `007` is an identifier and not a number.
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_padded = digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit());
        let is_number = digits.starts_with(|c: char| c.is_ascii_digit()) && !is_padded;
        match text {
            "true" | "false" => self.bools += 1,
            "NaN" | "inf" | "-inf" => self.float_names += 1,
            _ if !is_number => self.texts += 1,
            text => match (text.parse::<i128>(), text.parse::<f64>()) {
                (Ok(integer), _) => {
                    let is_long = integer < i64::MIN.into() || integer > u64::MAX.into();
                    self.longs += usize::from(is_long);
                    self.add_integer(integer);
                }
                // An integer of more than 128 bits, which no type can hold.
                (Err(_), _) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                    self.longs += 1;
                    self.add_integer(if text == digits { i128::MAX } else { i128::MIN });
                }
                (Err(_), Ok(float)) if float.is_finite() && !text.ends_with('.') => self.floats += 1,
                _ => self.texts += 1,
            },
        }
    }

    fn add_integer(&mut self, integer: i128) {
        let is_first = self.integers == 0;
        self.integers += 1;
        self.least = if is_first { integer } else { self.least.min(integer) };
        self.most = if is_first { integer } else { self.most.max(integer) };
    }
}

/// Returns whether a number in the value may be an integer beyond 64 bits.
fn has_long(value: &Value) -> bool {
    match value {
        Value::Number(number) => integer(number).is_none() && number.as_f64().is_some_and(may_be_long),
        Value::Array(items) => items.iter().any(has_long),
        Value::Object(fields) => fields.values().any(has_long),
        _ => false,
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn is_float_name(text: &str) -> bool {
    matches!(text, "NaN" | "Infinity" | "inf" | "-Infinity" | "-inf")
}
