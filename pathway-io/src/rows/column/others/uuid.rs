//! `Uuid`: 32 hexadecimal digits with hyphens in text. The forms without hyphens, in braces and as a URN are read,
//! too.

use uuid::Uuid;

use super::text_form::{FORM, TextFault, TextForm, text_forms};
use crate::rows::column::Style;

text_forms! {
    Uuid, Uuid, Uuid::nil(), parse, write;
}

fn parse(text: &str) -> Result<Uuid, TextFault> {
    Uuid::try_parse(text).map_err(|_| FORM)
}

fn write(uuid: Uuid, _style: Style, out: &mut Vec<u8>) {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    out.extend_from_slice(uuid.as_hyphenated().encode_lower(&mut text).as_bytes());
}
