//! The PostgreSQL type of each column type: [`PostgresType`].

use crate::rows::data_type::DataType;

/// A type of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PostgresType {
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

impl PostgresType {
    /// Returns the kind of the SQL type that `TableSchema::sql_ddl` gives a column.
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Bool => PostgresType::Bool,
            DataType::I8 | DataType::I16 | DataType::U8 => PostgresType::Int2,
            DataType::I32 | DataType::U16 => PostgresType::Int4,
            DataType::I64 | DataType::U32 => PostgresType::Int8,
            DataType::U64 => PostgresType::Numeric(Some(20)),
            DataType::I128 | DataType::U128 => PostgresType::Numeric(Some(39)),
            DataType::Duration | DataType::SignedDuration => PostgresType::Numeric(Some(29)),
            DataType::F32 => PostgresType::Float4,
            DataType::F64 => PostgresType::Float8,
            DataType::Str => PostgresType::Text,
            DataType::Bytes => PostgresType::Bytea,
            DataType::Date => PostgresType::Date,
            DataType::Time => PostgresType::Time,
            DataType::DateTime => PostgresType::Timestamp,
            DataType::Timestamp | DataType::OffsetDateTime => PostgresType::Timestamptz,
            DataType::Uuid => PostgresType::Uuid,
            DataType::Decimal => PostgresType::Numeric(None),
            DataType::Optional(item) => PostgresType::of(item),
            DataType::Json | DataType::Map(_) | DataType::List(_) | DataType::Array(..) | DataType::Tuple(_) => {
                PostgresType::Jsonb
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
            PostgresType::Bool => ("boolean", 16),
            PostgresType::Bytea => ("bytea", 17),
            PostgresType::Int8 => ("bigint", 20),
            PostgresType::Int2 => ("smallint", 21),
            PostgresType::Int4 => ("integer", 23),
            PostgresType::Text => ("text", 25),
            PostgresType::Float4 => ("real", 700),
            PostgresType::Float8 => ("double precision", 701),
            PostgresType::Date => ("date", 1082),
            PostgresType::Time => ("time", 1083),
            PostgresType::Timestamp => ("timestamp", 1114),
            PostgresType::Timestamptz => ("timestamptz", 1184),
            PostgresType::Numeric(_) => ("numeric", 1700),
            PostgresType::Uuid => ("uuid", 2950),
            PostgresType::Jsonb => ("jsonb", 3802),
        }
    }

    /// Returns whether a column of the type `oid` with this modifier keeps every value unchanged.
    pub(super) fn fits(self, oid: u32, modifier: i32) -> bool {
        let keeps = match self {
            // The upper half of a modifier is the number of digits, and the lower half is the number of digits after
            // the point. 4 is added to the whole.
            PostgresType::Numeric(Some(digits)) => {
                modifier >= 0 && {
                    let (all, behind) = ((modifier - 4) >> 16, (modifier - 4) & 0x7ff);
                    // A negative scale rounds values. The scale is a signed number of eleven bits.
                    behind < 0x400 && all - behind >= digits
                }
            }
            PostgresType::Time | PostgresType::Timestamp | PostgresType::Timestamptz => modifier == 6,
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
        let u64 = PostgresType::Numeric(Some(20));
        assert!(u64.fits(1700, -1) && u64.fits(1700, numeric(20, 0)) && u64.fits(1700, numeric(25, 5)));
        assert!(!u64.fits(1700, numeric(19, 0)) && !u64.fits(1700, numeric(22, 5)) && !u64.fits(20, -1));
        assert!(!u64.fits(1700, numeric(30, -2)));
        assert!(PostgresType::Numeric(None).fits(1700, -1) && !PostgresType::Numeric(None).fits(1700, numeric(30, 10)));
        assert!(PostgresType::Time.fits(1083, 6) && !PostgresType::Time.fits(1083, 0));
        assert!(PostgresType::Text.fits(25, -1) && !PostgresType::Text.fits(1043, 14));
    }
}
