//! Rows in the order of their keys.
//!
//! Postgres writes rows in about half the time if each comes next to the one before in the index of the key, and not anywhere.

use std::cmp::Ordering;

use crate::read_model::{
    table::Table,
    value::{Row, Value},
};

/// Sorts rows of a table by their keys.
///
/// A key is somewhere else in memory than its row, and to look at two of them for each comparison takes longer than all else. So most
/// comparisons are of a number that is made of each first cell once.
pub(super) fn in_order_of_keys<'r>(table: &Table, rows: impl Iterator<Item = &'r Row>) -> Vec<&'r Row> {
    let rows: Vec<&Row> = rows.collect();
    let Some(&first) = table.key().first() else { return rows };
    let common = common_prefix(rows.iter().map(|row| &row[first]));
    let mut numbered: Vec<(u64, &Row)> = rows.into_iter().map(|row| (number(&row[first], common), row)).collect();
    numbered.sort_unstable_by(|(number, row), (other_number, other)| {
        number.cmp(other_number).then_with(|| compare(table, row, other))
    });
    numbered.into_iter().map(|(_, row)| row).collect()
}

fn compare(table: &Table, one: &Row, other: &Row) -> Ordering {
    table
        .key()
        .iter()
        .map(|&column| one[column].cmp(&other[column]))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// How many bytes all texts begin with: the keys of a table are often of one form.
fn common_prefix<'v>(mut cells: impl Iterator<Item = &'v Value>) -> usize {
    let Some(first) = cells.next().and_then(bytes) else { return 0 };
    let common = |length: usize, cell: &Value| {
        let same = |bytes: &[u8]| first[..length].iter().zip(bytes).take_while(|(one, other)| one == other).count();
        bytes(cell).map_or(0, same)
    };
    cells.fold(first.len(), common)
}

/// A number that is smaller only if the value is.
fn number(value: &Value, common: usize) -> u64 {
    // The sign is the highest bit, and is set of those that come first.
    let signed = |number: i64| number.cast_unsigned() ^ (1 << 63);
    match value {
        Value::I64(number) => signed(*number),
        Value::Timestamp(instant) => signed(instant.0),
        Value::Uuid(uuid) => uuid.as_u64_pair().0,
        text => {
            let mut first = [0; 8];
            let rest = bytes(text).and_then(|bytes| bytes.get(common..)).unwrap_or_default();
            first.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            u64::from_be_bytes(first)
        }
    }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Text(text) | Value::CiText(text) => Some(text.as_bytes()),
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use gnomon_values::{Day, Instant};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::read_model::{
        ColumnType,
        samples::{column, declaration},
    };

    fn texts() -> impl Strategy<Value = Value> {
        "(same-)?[a-c\u{0}é]{0,10}".prop_map(Value::Text)
    }

    fn keys() -> impl Strategy<Value = (ColumnType, Vec<Value>)> {
        fn of(
            column_type: ColumnType,
            value: impl Strategy<Value = Value>,
        ) -> impl Strategy<Value = (ColumnType, Vec<Value>)> {
            prop::collection::vec(value, 0..30).prop_map(move |values| (column_type, values))
        }
        prop_oneof![
            of(ColumnType::Text, texts()),
            of(ColumnType::I64, any::<i64>().prop_map(Value::I64)),
            of(ColumnType::Timestamp, any::<i64>().prop_map(|time| Value::Timestamp(Instant(time)))),
            of(ColumnType::Date, any::<i32>().prop_map(|day| Value::Date(Day(day)))),
            of(ColumnType::Uuid, any::<u128>().prop_map(|uuid| Value::Uuid(Uuid::from_u128(uuid)))),
            of(ColumnType::Bytes, prop::collection::vec(any::<u8>(), 0..12).prop_map(Value::Bytes)),
        ]
    }

    proptest! {
        #[test]
        fn rows_have_the_order_of_their_keys((column_type, cells) in keys()) {
            let columns = [column("value", ColumnType::I64), column("second", ColumnType::I64), column("first", column_type)];
            let table = Table::check(&declaration("t", columns, &["first", "second"])).unwrap();
            let row = |(number, cell): (usize, &Value)| vec![Value::Null, Value::I64(number as i64 % 3), cell.clone()];
            let rows: Vec<Row> = cells.iter().enumerate().map(row).collect();
            let sorted = in_order_of_keys(&table, rows.iter());
            prop_assert_eq!(sorted.len(), rows.len());
            prop_assert!(sorted.is_sorted_by_key(|row| (&row[2], &row[1])), "{:?}", sorted);
        }
    }
}
