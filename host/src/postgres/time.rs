//! Instants, days and times of day in Postgres' binary format.
//!
//! Postgres counts from 2000-01-01; the rest of Gnomon and the contract with modules count from 1970-01-01.

use gnomon_values::Instant;
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef},
};

const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * 86_400 * 1_000_000;

/// A `timestamptz`, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PgTimestamp(pub i64);

/// A `date`, in days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PgDate(pub i32);

impl PgTimestamp {
    /// The instant as the rest of Gnomon has it. Every value of Postgres has one, even `infinity`: a page must not fail for one
    /// row.
    #[must_use]
    pub fn instant(self) -> Instant {
        Instant(self.0)
    }

    /// The value on the wire: microseconds since 2000-01-01.
    #[must_use]
    pub fn wire(self) -> i64 {
        self.0.saturating_sub(EPOCH_MICROSECONDS)
    }

    /// From the value on the wire.
    #[must_use]
    pub fn from_wire(wire: i64) -> Self {
        Self(wire.saturating_add(EPOCH_MICROSECONDS))
    }
}

impl PgDate {
    /// The value on the wire: days since 2000-01-01.
    #[must_use]
    pub fn wire(self) -> i32 {
        self.0.saturating_sub(EPOCH_DAYS)
    }

    /// From the value on the wire.
    #[must_use]
    pub fn from_wire(wire: i32) -> Self {
        Self(wire.saturating_add(EPOCH_DAYS))
    }
}

/// A `timestamp without time zone`, in microseconds since 1970-01-01T00:00:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PgLocalTimestamp(pub i64);

/// A `time without time zone`, in microseconds since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PgTime(pub i64);

impl PgLocalTimestamp {
    fn wire(self) -> i64 {
        PgTimestamp(self.0).wire()
    }

    fn from_wire(wire: i64) -> Self {
        Self(PgTimestamp::from_wire(wire).0)
    }
}

impl PgTime {
    fn wire(self) -> i64 {
        self.0
    }

    fn from_wire(wire: i64) -> Self {
        Self(wire)
    }
}

macro_rules! sql_time {
    ($name:ident($number:ty) as $type_name:literal, $array_name:literal) => {
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($type_name)
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($array_name)
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <$number as Encode<'_, Postgres>>::encode(self.wire(), buffer)
            }
        }

        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                Ok(Self::from_wire(<$number>::from_be_bytes(binary(&value)?.try_into()?)))
            }
        }
    };
}

sql_time!(PgTimestamp(i64) as "timestamptz", "timestamptz[]");
sql_time!(PgLocalTimestamp(i64) as "timestamp", "timestamp[]");
sql_time!(PgTime(i64) as "time", "time[]");
sql_time!(PgDate(i32) as "date", "date[]");

fn binary<'v>(value: &PgValueRef<'v>) -> Result<&'v [u8], BoxDynError> {
    match value.format() {
        PgValueFormat::Binary => value.as_bytes(),
        PgValueFormat::Text => {
            Err("a time came in text format; the simple query protocol is not used for times".into())
        }
    }
}
