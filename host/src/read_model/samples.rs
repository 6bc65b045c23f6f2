//! Tables and values for tests.

use gnomon_values::{Day, Instant, LocalTimestamp, TimeOfDay};
use proptest::{prelude::*, sample::select};
use uuid::Uuid;

use super::{
    CanonicalJson, ColumnDeclaration, ColumnType, Decimal, Float, IndexDeclaration, IndexKindDeclaration, Table,
    TableDeclaration, Value,
};
use crate::postgres::array_literal;

/// Creates the collation of case-insensitive columns in a database without Gnomon's own tables.
pub(crate) const CREATE_COLLATION: &str =
    concat!("CREATE SCHEMA gnomon;", include_str!("../../../migrations/0005_case_insensitive.sql"));

/// A column that is never null.
pub(crate) fn column(name: &str, column_type: ColumnType) -> ColumnDeclaration {
    ColumnDeclaration { name: name.to_owned(), description: None, column_type, nullable: false }
}

/// A column that may be null.
pub(crate) fn nullable(name: &str, column_type: ColumnType) -> ColumnDeclaration {
    ColumnDeclaration { nullable: true, ..column(name, column_type) }
}

/// A table with nothing but columns and a key.
pub(crate) fn declaration(
    name: &str,
    columns: impl IntoIterator<Item = ColumnDeclaration>,
    key: &[&str],
) -> TableDeclaration {
    TableDeclaration {
        name: name.to_owned(),
        description: None,
        columns: columns.into_iter().collect(),
        key: key.iter().map(|&column| column.to_owned()).collect(),
        indexes: Vec::new(),
        references: Vec::new(),
    }
}

/// An index over the values of columns.
pub(crate) fn btree(name: &str, columns: &[&str]) -> IndexDeclaration {
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    IndexDeclaration { name: name.to_owned(), kind: IndexKindDeclaration::Btree { columns } }
}

/// A table with a column of every type, all but the key nullable. Some names are keywords of SQL, or aliases in the host's
/// statements.
pub(crate) fn table() -> Table {
    let columns = [
        nullable("user", ColumnType::Text),
        nullable("page", ColumnType::Bool),
        nullable("delay", ColumnType::I64),
        nullable("ratio", ColumnType::F64),
        nullable("fare", ColumnType::Decimal),
        nullable("landed", ColumnType::Timestamp),
        nullable("day", ColumnType::Date),
        nullable("ticket", ColumnType::Uuid),
        nullable("doc", ColumnType::Json),
        nullable("raw", ColumnType::Bytes),
        nullable("city", ColumnType::CiText),
        nullable("boarding", ColumnType::LocalTimestamp),
        nullable("gate_closes", ColumnType::Time),
        nullable("tags", ColumnType::TextArray),
        nullable("seats", ColumnType::I64Array),
        nullable("weights", ColumnType::F64Array),
        nullable("crew", ColumnType::UuidArray),
    ];
    let columns = std::iter::once(column("id", ColumnType::I64)).chain(columns);
    Table::check(&declaration("flights", columns, &["id"])).unwrap()
}

/// Values from a small set, so that equal ones occur, with many edge cases.
pub(crate) fn value(column_type: ColumnType) -> BoxedStrategy<Value> {
    match column_type {
        ColumnType::Text => "[aAbé%_*\\\\,()\"{} .]{0,3}".prop_map(Value::Text).boxed(),
        ColumnType::CiText => "[aAbeéÉ%_]{0,3}".prop_map(Value::CiText).boxed(),
        ColumnType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        ColumnType::I64 => {
            prop_oneof![4 => -2..3_i64, 1 => select(vec![i64::MIN, i64::MAX])].prop_map(Value::I64).boxed()
        }
        ColumnType::F64 => {
            let floats =
                vec![-1.5, -0.0, 0.0, 0.25, 1.0 / 11.0, 1e16, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
            select(floats).prop_map(|float| Value::F64(Float::new(float))).boxed()
        }
        ColumnType::Decimal => (-3..4_i32, select(vec!["", ".0", ".5", ".125", ".001", "0000000000.0000000000000001"]))
            .prop_map(|(integer, fraction)| Value::Decimal(Decimal::parse(&format!("{integer}{fraction}")).unwrap()))
            .boxed(),
        ColumnType::Timestamp => {
            let instants = vec![Instant::MIN.0, -1, 0, 1, 951_782_400_000_000, 1_709_208_000_250_000, Instant::MAX.0];
            select(instants).prop_map(|micros| Value::Timestamp(Instant(micros))).boxed()
        }
        ColumnType::LocalTimestamp => {
            let times = vec![LocalTimestamp::MIN.0, -1, 0, 1, 951_782_400_000_000, LocalTimestamp::MAX.0];
            select(times).prop_map(|micros| Value::LocalTimestamp(LocalTimestamp(micros))).boxed()
        }
        ColumnType::Time => select(vec![0, 1, 3_600_500_000, TimeOfDay::MAX.0])
            .prop_map(|micros| Value::Time(TimeOfDay(micros)))
            .boxed(),
        ColumnType::Date => {
            let days = vec![Day::MIN.0, -1, 0, 1, 11_016, 19_782, Day::MAX.0];
            select(days).prop_map(|days| Value::Date(Day(days))).boxed()
        }
        ColumnType::Uuid => (0..3_u128).prop_map(|bits| Value::Uuid(Uuid::from_u128(bits << 120))).boxed(),
        ColumnType::Json => select(vec![
            "null",
            "true",
            "1",
            "\"a\\\"b\"",
            "[1,{}]",
            "{\"a\":[null,\"é\"]}",
            "0.1234567890123456789",
            "1e16",
        ])
        .prop_map(|json| Value::Json(CanonicalJson::parse(json).unwrap()))
        .boxed(),
        ColumnType::Bytes => prop::collection::vec(select(vec![0, 1, b'\\', 255]), 0..3).prop_map(Value::Bytes).boxed(),
        ColumnType::TextArray => {
            prop::collection::vec("[aA,{}\"\\\\ é]{0,2}|NULL", 0..3).prop_map(Value::TextArray).boxed()
        }
        ColumnType::I64Array => {
            prop::collection::vec(select(vec![i64::MIN, -1, 0, 7, i64::MAX]), 0..3).prop_map(Value::I64Array).boxed()
        }
        ColumnType::F64Array => {
            let floats = select(vec![-1.5, -0.0, 0.25, 1e300, f64::NAN, f64::NEG_INFINITY]).prop_map(Float::new);
            prop::collection::vec(floats, 0..3).prop_map(Value::F64Array).boxed()
        }
        ColumnType::UuidArray => {
            let uuids = (0..3_u128).prop_map(|bits| Uuid::from_u128(bits << 120));
            prop::collection::vec(uuids, 0..3).prop_map(Value::UuidArray).boxed()
        }
    }
}

/// A value as a client writes it in a query string.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => panic!("null cannot be written"),
        Value::Text(text) | Value::CiText(text) => text.clone(),
        Value::Bool(bool) => bool.to_string(),
        Value::I64(integer) => integer.to_string(),
        Value::F64(float) => float.get().to_string(),
        Value::Decimal(decimal) => decimal.to_string(),
        Value::Timestamp(instant) => instant.to_string(),
        Value::LocalTimestamp(local) => local.to_string(),
        Value::Date(day) => day.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Uuid(uuid) => uuid.to_string(),
        Value::Json(json) => json.to_string(),
        Value::Bytes(bytes) => bytes.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
        Value::TextArray(texts) => array_literal(texts),
        Value::I64Array(numbers) => array_literal(numbers),
        Value::F64Array(numbers) => array_literal(numbers.iter().map(|number| number.get())),
        Value::UuidArray(uuids) => array_literal(uuids),
    }
}

/// A value as Postgres writes it in JSON.
pub(super) fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::F64(float) if float.get().is_nan() => "NaN".into(),
        Value::F64(float) if float.get().is_infinite() => {
            if float.get() > 0.0 {
                "Infinity".into()
            } else {
                "-Infinity".into()
            }
        }
        // Postgres uses an exponent here.
        Value::F64(float) if float.get().abs() >= 1e15 => serde_json::from_str(&format!("{:e}", float.get())).unwrap(),
        Value::Bool(_) | Value::I64(_) | Value::F64(_) | Value::Decimal(_) | Value::Json(_) => {
            serde_json::from_str(&text(value)).unwrap()
        }
        Value::TextArray(texts) => texts.clone().into(),
        Value::I64Array(numbers) => numbers.clone().into(),
        Value::F64Array(numbers) => numbers.iter().map(|number| json(&Value::F64(*number))).collect(),
        Value::UuidArray(uuids) => uuids.iter().map(Uuid::to_string).collect(),
        value => text(value).into(),
    }
}
