//! Summarises the values of one field in a sample's rows.
//!
//! A value is checked against the column's type. If only the compiler knows the type (an alias, or a column of a
//! flattened schema), it is checked against every possible type. For each type, the first value that does not fit is
//! kept with its error, and the runtime selects the error for the real type.

use std::collections::BTreeMap;
use std::rc::Rc;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::type_check::{Misfit, check_cell, check_json, inside};
use crate::files::data_type::{DataType, PLAIN};
use crate::files::json::Value;
use crate::files::rows::Cell;

/// The line of a fault, and the error, with a NUL where the column's type belongs.
pub type LocatedFault = (usize, String);

/// The types that a column can have, by their numbers in the runtime. A column of JSON may be a `Value`, a `RawJson` or
/// any other type, so only `json` says which rules its text has.
pub fn all_types(json: &DataType) -> Rc<[DataType]> {
    let plain = PLAIN.iter().map(|(name, _)| if *name == "Value" { json.clone() } else { DataType::Plain(name) });
    let unknown = || Box::new(DataType::Unknown);
    plain.chain([DataType::Bytes, DataType::List(unknown()), DataType::Map(unknown())]).collect()
}

pub struct Summary {
    /// The type as far as the macro knows it, and its first fault.
    pub data_type: DataType,
    pub fault: Option<LocatedFault>,
    /// Whether a row has the field.
    pub is_found: bool,
    /// The first row that lacks it.
    pub absent: Option<LocatedFault>,
    /// The faults for every type, if only the compiler knows the type.
    types: Rc<[DataType]>,
    values: Faults,
    /// The same for the items of lists and maps.
    items: Faults,
}

/// The first fault of a value for each type, and the fault of a null, which is the same for all types.
struct Faults {
    of_types: Vec<Option<LocatedFault>>,
    of_null: Option<LocatedFault>,
}

impl Summary {
    pub fn new(data_type: DataType, types: &Rc<[DataType]>) -> Self {
        let types_to_check = if data_type.has_unknown() { types.len() } else { 0 };
        let faults = || Faults { of_types: vec![None; types_to_check], of_null: None };
        Summary {
            fault: None,
            is_found: false,
            absent: None,
            types: Rc::clone(types),
            values: faults(),
            items: faults(),
            data_type,
        }
    }

    /// Adds a value of a row. `error` returns the text about a value that does not fit.
    pub fn add(&mut self, cell: &Cell, error: impl Fn(Misfit) -> LocatedFault) {
        self.is_found = true;
        if let (None, Err(misfit)) = (&self.fault, check_cell(&self.data_type, cell)) {
            self.fault = Some(error(misfit));
        }
        if !self.data_type.has_unknown() {
            return;
        }
        let is_null = matches!(cell, Cell::Json(Value::Null) | Cell::Text(None));
        let checked = |data_type: &DataType| check_cell(data_type, cell).map_err(&error);
        self.values.record(&self.types, is_null, checked);
        let items: Vec<&Value> = match cell {
            Cell::Json(Value::List(items)) => items.iter().collect(),
            Cell::Json(Value::Object(fields)) => fields.iter().map(|field| &field.value).collect(),
            _ => Vec::new(),
        };
        for item in items {
            let checked = |data_type: &DataType| check_json(data_type, item).map_err(inside).map_err(&error);
            self.items.record(&self.types, *item == Value::Null, checked);
        }
    }

    /// Returns the constant from which the runtime selects the error.
    pub fn expand(&self, name: &str, is_inside: bool) -> TokenStream {
        let (faults, items) = (self.values.expand(), self.items.expand());
        let absent = self.absent.as_ref().map_or("", |(_, text)| text);
        quote! {
            __pathway_io::SampleField {
                name: #name, is_inside: #is_inside, faults: #faults, items: #items, absent: #absent
            }
        }
    }
}

impl Faults {
    /// Checks a value against each type that has no fault yet.
    fn record(&mut self, types: &[DataType], is_null: bool, check: impl Fn(&DataType) -> Result<(), LocatedFault>) {
        if is_null {
            self.of_null = self.of_null.take().or_else(|| check(&DataType::Bytes).err());
            return;
        }
        for (fault, data_type) in self.of_types.iter_mut().zip(types).filter(|(fault, _)| fault.is_none()) {
            *fault = check(data_type).err();
        }
    }

    /// Generates the list of faults. A null has the bit after the bits of the types.
    fn expand(&self) -> TokenStream {
        let mut types: BTreeMap<&LocatedFault, u32> = BTreeMap::new();
        for (number, fault) in self.of_types.iter().chain([&self.of_null]).enumerate() {
            fault.iter().for_each(|fault| *types.entry(fault).or_default() |= 1 << number);
        }
        let faults = types.iter().map(|((line, text), types)| {
            let (types, line) = (Literal::u32_unsuffixed(*types), Literal::usize_unsuffixed(*line));
            quote!(__pathway_io::SampleFault { types: #types, line: #line, text: #text })
        });
        quote!(&[#(#faults),*])
    }
}
