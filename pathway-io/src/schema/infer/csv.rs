//! A small reader of CSV: RFC 4180 with any line break, and with a header.
//!
//! An empty field is a null and `""` is an empty string, as in the library's own files.

/// A record, and the line on which it starts, from 1.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    pub line: usize,
    /// `None` is a field that is empty and not in quotes.
    pub fields: Vec<Option<String>>,
}

/// An error in a CSV file, with its line.
#[derive(Debug, PartialEq, Eq)]
pub struct CsvFault {
    pub line: usize,
    pub reason: &'static str,
}

/// Reads one record after the other. Empty lines are skipped.
pub struct CsvReader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    /// Whether the text was cut off, so that its last record may be incomplete.
    is_cut: bool,
}

impl<'a> CsvReader<'a> {
    pub fn new(bytes: &'a [u8], is_cut: bool) -> Self {
        CsvReader { bytes, at: 0, line: 1, is_cut }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Reads a line break, if there is one.
    fn line_break(&mut self) -> bool {
        let len = match (self.peek(), self.bytes.get(self.at + 1)) {
            (Some(b'\r'), Some(b'\n')) => 2,
            (Some(b'\r' | b'\n'), _) => 1,
            _ => return false,
        };
        self.at += len;
        self.line += 1;
        true
    }

    fn field(&mut self) -> Result<Option<String>, CsvFault> {
        let line = self.line;
        let mut field = Vec::new();
        let is_quoted = self.peek() == Some(b'"');
        if is_quoted {
            self.at += 1;
            loop {
                match self.peek() {
                    Some(b'"') if self.bytes.get(self.at + 1) == Some(&b'"') => {
                        field.push(b'"');
                        self.at += 2;
                    }
                    Some(b'"') => {
                        self.at += 1;
                        break;
                    }
                    Some(byte) => {
                        let start = self.at;
                        if !self.line_break() {
                            self.at += 1;
                        }
                        match byte {
                            b'\r' | b'\n' => field.extend_from_slice(&self.bytes[start..self.at]),
                            byte => field.push(byte),
                        }
                    }
                    None => return Err(CsvFault { line, reason: "a quoted field is not closed" }),
                }
            }
            if !matches!(self.peek(), None | Some(b',' | b'\r' | b'\n')) {
                return Err(CsvFault { line: self.line, reason: "expected `,` after a quoted field" });
            }
        } else {
            let rest = &self.bytes[self.at..];
            let len = rest.iter().position(|byte| matches!(byte, b',' | b'\r' | b'\n')).unwrap_or(rest.len());
            field.extend_from_slice(&rest[..len]);
            self.at += len;
        }
        let text = String::from_utf8(field).map_err(|_| CsvFault { line, reason: "the text is not valid UTF-8" })?;
        Ok((is_quoted || !text.is_empty()).then_some(text))
    }
}

impl Iterator for CsvReader<'_> {
    type Item = Result<Record, CsvFault>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.line_break() {}
        self.peek()?;
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            let field = self.field();
            // The record may be incomplete.
            if self.is_cut && self.peek().is_none() {
                return None;
            }
            match field {
                Ok(field) => fields.push(field),
                Err(fault) => {
                    self.at = self.bytes.len();
                    return Some(Err(fault));
                }
            }
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.line_break();
            return Some(Ok(Record { line, fields }));
        }
    }
}
