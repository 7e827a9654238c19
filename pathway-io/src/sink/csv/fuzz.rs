//! Target `csv`: compares the CSV writer with the `csv` crate, for writing and reading.

use ::csv::QuoteStyle;
use pathway_derive::Schema;
use serde_json::Value;

use crate::rows::column::{Buffer, Style};
use crate::rows::decode::fuzz::records;
use crate::rows::fields::{Columns, Fields as _, Visitor};
use crate::rows::schema::{ColumnsOf, Schema};
use crate::sink::csv::fields::{Minimal, Quoted};

#[derive(Schema)]
#[schema(crate = crate)]
struct Row {
    text: String,
    maybe: Option<String>,
    list: Vec<Option<String>>,
    value: Value,
    bytes: Vec<u8>,
    float: f64,
    single: Option<f32>,
    int: i64,
}

impl Row {
    fn new(data: &[u8]) -> Self {
        let text = String::from_utf8_lossy(data).into_owned();
        let (maybe, rest) = match text.split_once('|') {
            Some((maybe, rest)) => (Some(maybe.to_owned()), rest.to_owned()),
            None => (None, text.clone()),
        };
        let number = data.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Row {
            list: rest.split('|').map(|item| (!item.is_empty()).then(|| item.to_owned())).collect(),
            value: serde_json::from_str(&text).unwrap_or(Value::String(rest)),
            bytes: data.to_vec(),
            float: f64::from_bits(number),
            single: maybe.as_ref().map(|_| f32::from_bits(number as u32)),
            int: number.cast_signed(),
            text,
            maybe,
        }
    }
}

/// Writes rows in both styles.
pub fn csv(data: &[u8]) {
    let mut columns = ColumnsOf::<Row>::default();
    let mut len = 0;
    for record in records(data) {
        <Row as Schema>::Fields::push(&mut columns, Row::new(record).into_fields());
        len += 1;
    }
    for style in [Style::Plain, Style::Pathway] {
        let (mut ours, mut expected, mut fields) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..len {
            let mut visitor = Fields { row, style, fields: Vec::new(), line: Vec::new() };
            match style {
                Style::Plain | Style::Exact => columns.visit(0, &mut Minimal { row, out: &mut ours }),
                Style::Pathway => columns.visit(0, &mut Quoted { row, out: &mut ours }),
            }
            columns.visit(0, &mut visitor);
            ours.push(b'\n');
            visitor.line.push(b'\n');
            expected.append(&mut visitor.line);
            fields.push(visitor.fields);
        }
        assert_eq!(ours.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{style:?}");
        read_back(&ours, &fields);
    }
}

/// Each field without quotes, and the line that the csv crate writes for them.
struct Fields {
    row: usize,
    style: Style,
    fields: Vec<Vec<u8>>,
    line: Vec<u8>,
}

impl Visitor for Fields {
    fn column<B: Buffer>(&mut self, _index: usize, buffer: &B) {
        let mut field = Vec::new();
        match (buffer.is_null(self.row), self.style) {
            (true, Style::Plain | Style::Exact) => {}
            (true, Style::Pathway) => field.extend_from_slice(b"None"),
            (false, style) => buffer.write_text(self.row, style, &mut field),
        }
        // The csv crate cannot write a lone null, which is an empty field without quotes.
        if !(buffer.is_null(self.row) && self.style == Style::Plain) {
            let quotes = if self.style == Style::Plain { QuoteStyle::Necessary } else { QuoteStyle::Always };
            // An empty text that is the only field of a record is `""`.
            let mut writer = ::csv::WriterBuilder::new().quote_style(quotes).from_writer(Vec::new());
            writer.write_record([&field]).expect("a vector takes everything");
            let written = writer.into_inner().expect("a vector takes everything");
            self.line.extend_from_slice(written.strip_suffix(b"\n").expect("a record ends"));
        }
        self.line.push(b',');
        self.fields.push(field);
    }
}

fn read_back(text: &[u8], expected: &[Vec<Vec<u8>>]) {
    // Each file begins with a header. Without it, the csv crate would leave out a byte order mark at the start.
    let file = [&b"text,maybe,list,value,bytes,float,single,int,\n"[..], text].concat();
    let mut reader = ::csv::Reader::from_reader(&*file);
    let mut rows = 0;
    for (record, expected) in reader.byte_records().zip(expected) {
        let record = record.expect("each line is a record of as many fields");
        let fields: Vec<&[u8]> = record.iter().collect();
        let (last, fields) = fields.split_last().expect("there is a field behind the last comma");
        assert!(last.is_empty());
        assert_eq!(fields, expected.iter().map(Vec::as_slice).collect::<Vec<_>>());
        rows += 1;
    }
    assert_eq!(rows, expected.len(), "no row is two, and no two are one");
}
