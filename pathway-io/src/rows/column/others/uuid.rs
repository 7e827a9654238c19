//! `Uuid`: 32 hexadecimal digits with hyphens in text. The forms without hyphens, in braces and as a URN are read,
//! too.

use uuid::Uuid;

use super::text_form::{FORM, Fault, TextForm, compared_as_written};
use crate::rows::column::number::NumberBuffer;
use crate::rows::column::{Style, column_type};
use crate::rows::data_type::DataType;

column_type!(Uuid, NumberBuffer<Uuid>, DataType::Uuid; KeyType NotNull);

impl TextForm for Uuid {
    compared_as_written!(Self::default());

    fn parse(text: &str) -> Result<Uuid, Fault> {
        Uuid::try_parse(text).map_err(|_| FORM)
    }

    fn write(self, _style: Style, out: &mut Vec<u8>) {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        out.extend_from_slice(self.as_hyphenated().encode_lower(&mut text).as_bytes());
    }
}
