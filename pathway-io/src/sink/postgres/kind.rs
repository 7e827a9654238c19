//! The PostgreSQL type of each column type: [`Kind`].

use crate::rows::data_type::DataType;

/// A type of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    /// A `numeric` with this many digits, or with any number of digits, including those after the point.
    Numeric(Option<i32>),
    Float4,
    Float8,
    Text,
    Bytea,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Uuid,
    Jsonb,
}

impl Kind {
    /// Returns the kind of the SQL type that `TableSchema::sql_ddl` gives a column.
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Bool => Kind::Bool,
            DataType::I8 | DataType::I16 | DataType::U8 => Kind::Int2,
            DataType::I32 | DataType::U16 => Kind::Int4,
            DataType::I64 | DataType::U32 => Kind::Int8,
            DataType::U64 => Kind::Numeric(Some(20)),
            DataType::I128 | DataType::U128 => Kind::Numeric(Some(39)),
            DataType::Duration | DataType::SignedDuration => Kind::Numeric(Some(29)),
            DataType::F32 => Kind::Float4,
            DataType::F64 => Kind::Float8,
            DataType::Str => Kind::Text,
            DataType::Bytes => Kind::Bytea,
            DataType::Date => Kind::Date,
            DataType::Time => Kind::Time,
            DataType::DateTime => Kind::Timestamp,
            DataType::Timestamp | DataType::OffsetDateTime => Kind::Timestamptz,
            DataType::Uuid => Kind::Uuid,
            DataType::Decimal => Kind::Numeric(None),
            DataType::Optional(item) => Kind::of(item),
            DataType::Json | DataType::Map(_) | DataType::List(_) | DataType::Array(..) | DataType::Tuple(_) => {
                Kind::Jsonb
            }
        }
    }

    pub(super) fn name(self) -> &'static str {
        self.name_and_oid().0
    }

    /// Returns the OID of the type, which is the same in every database.
    pub(super) fn oid(self) -> u32 {
        self.name_and_oid().1
    }

    fn name_and_oid(self) -> (&'static str, u32) {
        match self {
            Kind::Bool => ("boolean", 16),
            Kind::Bytea => ("bytea", 17),
            Kind::Int8 => ("bigint", 20),
            Kind::Int2 => ("smallint", 21),
            Kind::Int4 => ("integer", 23),
            Kind::Text => ("text", 25),
            Kind::Float4 => ("real", 700),
            Kind::Float8 => ("double precision", 701),
            Kind::Date => ("date", 1082),
            Kind::Time => ("time", 1083),
            Kind::Timestamp => ("timestamp", 1114),
            Kind::Timestamptz => ("timestamptz", 1184),
            Kind::Numeric(_) => ("numeric", 1700),
            Kind::Uuid => ("uuid", 2950),
            Kind::Jsonb => ("jsonb", 3802),
        }
    }

    /// Returns whether a column of the type `oid` with this modifier keeps every value unchanged.
    pub(super) fn fits(self, oid: u32, modifier: i32) -> bool {
        let keeps = match self {
            // The upper half of a modifier is the number of digits, and the lower half is the number of digits after
            // the point. 4 is added to the whole.
            Kind::Numeric(Some(digits)) => {
                modifier >= 0 && {
                    let (all, behind) = ((modifier - 4) >> 16, (modifier - 4) & 0x7ff);
                    // A negative scale rounds values. The scale is a signed number of eleven bits.
                    behind < 0x400 && all - behind >= digits
                }
            }
            Kind::Time | Kind::Timestamp | Kind::Timestamptz => modifier == 6,
            _ => false,
        };
        oid == self.oid() && (modifier == -1 || keeps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_rounds_does_not_fit() {
        let numeric = |digits: i32, behind: i32| (digits << 16 | behind & 0x7ff) + 4;
        let u64 = Kind::Numeric(Some(20));
        assert!(u64.fits(1700, -1) && u64.fits(1700, numeric(20, 0)) && u64.fits(1700, numeric(25, 5)));
        assert!(!u64.fits(1700, numeric(19, 0)) && !u64.fits(1700, numeric(22, 5)) && !u64.fits(20, -1));
        assert!(!u64.fits(1700, numeric(30, -2)));
        assert!(Kind::Numeric(None).fits(1700, -1) && !Kind::Numeric(None).fits(1700, numeric(30, 10)));
        assert!(Kind::Time.fits(1083, 6) && !Kind::Time.fits(1083, 0));
        assert!(Kind::Text.fits(25, -1) && !Kind::Text.fits(1043, 14));
    }
}
