//! The values of a statement's placeholders.

use gnomon_values::Instant;
use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo},
};
use uuid::Uuid;

use crate::postgres::{PgDate, PgTimestamp};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A value as it is sent: as a value of its type where its text is the usual one, and else as a text, for Postgres to read or refuse.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// Text, which the statement casts if it is to be of another type.
    Text(String),
    /// `bigint`
    I64(i64),
    /// `double precision`
    F64(f64),
    /// `boolean`
    Bool(bool),
    /// `timestamp with time zone`
    Timestamp(PgTimestamp),
    /// `date`
    Date(PgDate),
    /// `uuid`
    Uuid(Uuid),
    /// `text[]`
    Texts(Vec<String>),
    /// `bigint[]`
    I64s(Vec<i64>),
    /// `uuid[]`
    Uuids(Vec<Uuid>),
}

impl Param {
    /// The value of a type, by its name in SQL. `None` if the type is none of these, or its text is not the usual one.
    pub(super) fn of_type(value: &str, sql_type: &str) -> Option<Self> {
        Some(match sql_type {
            "text" => Self::Text(value.to_owned()),
            "bigint" => Self::I64(i64_from(value)?),
            "double precision" => Self::F64(f64_from(value)?),
            "boolean" => Self::Bool(value.parse().ok()?),
            "timestamp with time zone" => Self::Timestamp(PgTimestamp(Instant::parse(value).ok()?.0)),
            "date" => Self::Date(date_from(value)?),
            "uuid" => Self::Uuid(uuid_from(value)?),
            _ => return None,
        })
    }

    /// The values of an array, by the name of their type in SQL. `None` as above.
    pub(super) fn of_array(values: &[String], sql_type: &str) -> Option<Self> {
        let values = values.iter().map(String::as_str);
        Some(match sql_type {
            "text" => Self::Texts(values.map(str::to_owned).collect()),
            "bigint" => Self::I64s(values.map(i64_from).collect::<Option<_>>()?),
            "uuid" => Self::Uuids(values.map(uuid_from).collect::<Option<_>>()?),
            _ => return None,
        })
    }
}

/// A number as Postgres writes it.
fn i64_from(value: &str) -> Option<i64> {
    let plain = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    plain.then(|| value.parse().ok()).flatten()
}

/// A number without an exponent. Rust and Postgres both take the nearest one that there is.
fn f64_from(value: &str) -> Option<f64> {
    // With more digits it may be too small to be told from zero, which Postgres refuses.
    let plain = value.len() <= 32 && value.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
    plain.then(|| value.parse().ok()).flatten()
}

/// A day as RFC 3339 writes it.
fn date_from(value: &str) -> Option<PgDate> {
    let midnight = Instant::parse(&format!("{value}T00:00:00Z")).ok()?;
    i32::try_from(midnight.0.div_euclid(MICROS_PER_DAY)).ok().map(PgDate)
}

/// A UUID with hyphens.
fn uuid_from(value: &str) -> Option<Uuid> {
    let hyphenated = value.len() == uuid::fmt::Hyphenated::LENGTH;
    hyphenated.then(|| Uuid::try_parse(value).ok()).flatten()
}

impl Type<Postgres> for Param {
    /// That of most values. Each value says its own.
    fn type_info() -> PgTypeInfo {
        <String as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Param {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        match self {
            Self::Text(value) => <String as Encode<Postgres>>::encode_by_ref(value, buffer),
            Self::I64(value) => <i64 as Encode<Postgres>>::encode_by_ref(value, buffer),
            Self::Bool(value) => <bool as Encode<Postgres>>::encode_by_ref(value, buffer),
            Self::F64(value) => <f64 as Encode<Postgres>>::encode_by_ref(value, buffer),
            Self::Timestamp(value) => <PgTimestamp as Encode<Postgres>>::encode_by_ref(value, buffer),
            Self::Date(value) => <PgDate as Encode<Postgres>>::encode_by_ref(value, buffer),
            Self::Uuid(value) => <Uuid as Encode<Postgres>>::encode_by_ref(value, buffer),
            Self::Texts(values) => <Vec<String> as Encode<Postgres>>::encode_by_ref(values, buffer),
            Self::I64s(values) => <Vec<i64> as Encode<Postgres>>::encode_by_ref(values, buffer),
            Self::Uuids(values) => <Vec<Uuid> as Encode<Postgres>>::encode_by_ref(values, buffer),
        }
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(match self {
            Self::Text(_) => <String as Type<Postgres>>::type_info(),
            Self::I64(_) => <i64 as Type<Postgres>>::type_info(),
            Self::Bool(_) => <bool as Type<Postgres>>::type_info(),
            Self::F64(_) => <f64 as Type<Postgres>>::type_info(),
            Self::Timestamp(_) => <PgTimestamp as Type<Postgres>>::type_info(),
            Self::Date(_) => <PgDate as Type<Postgres>>::type_info(),
            Self::Uuid(_) => <Uuid as Type<Postgres>>::type_info(),
            Self::Texts(_) => <Vec<String> as Type<Postgres>>::type_info(),
            Self::I64s(_) => <Vec<i64> as Type<Postgres>>::type_info(),
            Self::Uuids(_) => <Vec<Uuid> as Type<Postgres>>::type_info(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_usual_texts_are_values() {
        for (text, sql_type, value) in [
            ("-9223372036854775808", "bigint", Some(Param::I64(i64::MIN))),
            ("007", "bigint", Some(Param::I64(7))),
            ("9223372036854775808", "bigint", None),
            ("+7", "bigint", None),
            (" 7", "bigint", None),
            ("", "bigint", None),
            ("-", "bigint", None),
            ("-0.1", "double precision", Some(Param::F64(-0.1))),
            ("1e2", "double precision", None),
            ("NaN", "double precision", None),
            ("2013-01-02", "date", Some(Param::Date(PgDate(15_707)))),
            ("1969-12-31", "date", Some(Param::Date(PgDate(-1)))),
            ("2013-02-29", "date", None),
            ("2013-1-2", "date", None),
            ("2013-01-02T00:00:00Z", "date", None),
            ("1970-01-01T01:00:00.5+01:00", "timestamp with time zone", Some(Param::Timestamp(PgTimestamp(500_000)))),
            ("1970-01-01 00:00:00", "timestamp with time zone", None),
            ("true", "boolean", Some(Param::Bool(true))),
            ("t", "boolean", None),
            ("00000000-0000-0000-0000-00000000000A", "uuid", Some(Param::Uuid(Uuid::from_u128(10)))),
            ("{00000000-0000-0000-0000-00000000000a}", "uuid", None),
            ("0000000000000000000000000000000a", "uuid", None),
            ("1.5", "numeric", None),
            ("1.5", "text", Some(Param::Text("1.5".to_owned()))),
        ] {
            assert_eq!(Param::of_type(text, sql_type), value, "{text} as {sql_type}");
        }
        let texts = ["1".to_owned(), "x".to_owned()];
        assert_eq!(Param::of_array(&texts, "bigint"), None);
        assert_eq!(Param::of_array(&texts, "text"), Some(Param::Texts(texts.to_vec())));
        assert_eq!(Param::of_array(&texts[..1], "bigint"), Some(Param::I64s(vec![1])));
    }
}
